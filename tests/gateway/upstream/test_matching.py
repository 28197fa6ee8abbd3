from typing import Any

import pytest

from gateway.upstream.matching import NameFilter, PatientScope

REFERENCES = [
    ("patient", "1", {"subject": {"reference": "Patient/1"}}, True),
    ("patient", "1", {"subject": {"reference": "Patient/12"}}, False),
    ("patient", "Patient/1", {"patient": {"reference": "Patient/1"}}, True),
    ("patient", "1", {"subject": {"reference": "https://inside.example:8443/fhir/Patient/1"}}, True),
    ("patient", "1", {"subject": {"reference": "Patient/1/_history/3"}}, True),
    ("patient", "https://gateway.example/fhir/Patient/1", {"beneficiary": {"reference": "Patient/1"}}, True),
    ("patient", "1,2", {"subject": {"reference": "Patient/2"}}, True),
    ("patient", "1", {"subject": {"reference": "Group/1"}}, False),
    ("subject", "Group/1", {"subject": {"reference": "Group/1"}}, True),
    ("subject", "Patient/1", {"subject": {"reference": "Group/1"}}, False),
    ("subject", "1", {"subject": {"reference": "Patient/1"}}, True),
    ("subject:Patient", "1", {"subject": {"reference": "Device/1"}}, False),
    ("beneficiary", "1", {"beneficiary": {"reference": "Patient/1"}}, True),
    ("beneficiary", "1", {"subscriber": {"reference": "Patient/1"}}, False),
    ("subscriber", "1", {"subscriber": {"reference": "Patient/1"}}, True),
    ("patient", "1", {"subject": {"display": "Somebody"}}, False),
    ("patient", "1", {}, False),
    ("_id", "a,b", {"id": "b"}, True),
    ("_id", "a,b", {"id": "c"}, False),
    ("_id", "a,b", {"id": ["a"]}, False),
    ("_id", "None", {}, False),
    ("patient.name", "x", {"subject": {"reference": "Patient/9"}}, True),  # chains are beyond the check
    ("patient:identifier", "x", {"subject": {"reference": "Patient/9"}}, True),
    ("code", "1", {}, True),
]


@pytest.mark.parametrize(("name", "value", "resource", "holds"), REFERENCES)
def test_a_result_must_be_about_what_was_asked(name: str, value: str, resource: dict[str, Any], holds: bool) -> None:
    assert PatientScope.of([(name, value)]).holds(resource) is holds


PATIENT = {"name": [{"family": "Müller-Østergård", "given": ["Renée", "Łucja"], "text": "Dr. Renée"}]}


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("family:contains", "muller", True),
        ("family:contains", "OSTERGARD", True),
        ("family:contains", "rgå", True),
        ("family:contains", "renee", False),
        ("given:contains", "luc", True),
        ("given:contains", "x,nee", True),
        ("name:contains", "dr.", True),
        ("given", "ren", True),
        ("given", "enee", False),
        ("given:exact", "Renée", True),
        ("given:exact", "renee", False),
        ("family:contains", r"a\,b", False),
    ],
)
def test_names_match_as_fhir_strings_do(name: str, value: str, holds: bool) -> None:
    assert NameFilter.of(name, value).holds(PATIENT) is holds


def test_dstu2_has_a_list_of_family_names() -> None:
    assert NameFilter.of("family:contains", "dam").holds({"name": [{"family": ["van", "Dam"]}]})


def test_an_escaped_comma_is_part_of_the_name() -> None:
    assert NameFilter.of("family", r"Smith\, Jr").holds({"name": [{"family": "Smith, Jr."}]})


@pytest.mark.parametrize("name", [None, "text", [None], [{"family": None}], [{"given": "Ann"}], [{"given": [{}]}]])
def test_malformed_names_match_nothing_and_break_nothing(name: object) -> None:
    assert not NameFilter.of("family:contains", "a").holds({"name": name})
