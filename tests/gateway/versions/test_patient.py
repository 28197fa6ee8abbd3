from typing import Any

import pytest

from gateway.versions import Adaptation, FhirVersion, adapt_resource
from gateway.versions.table import Json
from tests.gateway.versions.shared_data import Adapt

THO = "http://terminology.hl7.org/CodeSystem/"
R4_PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "name": [{"use": "official", "prefix": ["Ms"], "given": ["Ruth"], "family": "Black"}],
    "gender": "female",
    "birthDate": "1951-08-23",
    "generalPractitioner": [
        {"reference": "Practitioner/1", "display": "Dr A"},
        {"reference": "PractitionerRole/2", "display": "Dr B"},
        {"reference": "PractitionerRole/3"},
    ],
}


def test_stu3_has_the_same_name_gender_and_birth_date(adapt: Adapt) -> None:
    out = adapt(R4_PATIENT, "r4>stu3")
    assert out["name"] == R4_PATIENT["name"]
    assert (out["gender"], out["birthDate"]) == ("female", "1951-08-23")


def test_dstu2_lists_the_family_name(adapt: Adapt) -> None:
    assert adapt(R4_PATIENT, "r4>dstu2")["name"][0]["family"] == ["Black"]


def test_dstu2_family_names_are_joined_on_the_way_up(adapt: Adapt) -> None:
    out = adapt({"resourceType": "Patient", "name": [{"family": ["van", "Gogh"], "given": ["V"]}]}, "dstu2>stu3")
    assert out["name"] == [{"family": "van Gogh", "given": ["V"]}]


@pytest.mark.parametrize(("path", "expected"), [("r4>stu3", "extension"), ("r4>dstu2", 0)])
def test_the_sibling_of_an_absent_family_name_moves_along(adapt: Adapt, path: str, expected: Json) -> None:
    absent = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    out = adapt({"resourceType": "Patient", "name": [{"given": ["V"], "_family": {"extension": [absent]}}]}, path)
    sibling = out["name"][0]["_family"]
    assert sibling == ({"extension": [absent]} if expected == "extension" else [{"extension": [absent]}])


def test_siblings_of_primitives_and_of_lists_stay_in_place(adapt: Adapt) -> None:
    reason = {"extension": [{"url": "http://example.org/x", "valueString": "y"}]}
    patient = {
        "resourceType": "Patient",
        "birthDate": "1951",
        "_birthDate": reason,
        "name": [{"given": ["A", None], "_given": [None, reason]}],
    }
    out = adapt(patient, "r4>dstu2")
    assert out["_birthDate"] == reason
    assert out["name"] == [{"given": ["A", None], "_given": [None, reason]}]


def test_a_general_practitioner_of_a_role_keeps_its_display_only(adapt: Adapt) -> None:
    expected = [{"reference": "Practitioner/1", "display": "Dr A"}, {"display": "Dr B"}]
    assert adapt(R4_PATIENT, "r4>stu3")["generalPractitioner"] == expected
    out = adapt(R4_PATIENT, "r4>dstu2")
    assert out["careProvider"] == expected
    assert "generalPractitioner" not in out


def test_the_care_provider_becomes_general_practitioner(adapt: Adapt) -> None:
    out = adapt({"resourceType": "Patient", "careProvider": [{"reference": "Practitioner/1"}]}, "dstu2>stu3")
    assert out["generalPractitioner"] == [{"reference": "Practitioner/1"}]


def mrn(system: str) -> dict[str, Any]:
    return {"type": {"coding": [{"system": system, "code": "MR"}]}, "system": "urn:mrn", "value": "12"}


@pytest.mark.parametrize("path", ["r4>stu3", "r4>dstu2"])
def test_the_mrn_type_has_the_older_system(adapt: Adapt, path: str) -> None:
    out = adapt({"resourceType": "Patient", "identifier": [mrn(THO + "v2-0203")]}, path)
    assert out["identifier"] == [mrn("http://hl7.org/fhir/v2/0203")]


def test_an_old_identifier_is_not_offered(adapt: Adapt) -> None:
    out = adapt({"resourceType": "Patient", "identifier": [{"use": "old", "value": "1"}, {"value": "2"}]}, "r4>stu3")
    assert out["identifier"] == [{"value": "2"}]


@pytest.mark.parametrize(
    ("source", "target", "system"),
    [
        ("r4", "stu3", "http://hl7.org/fhir/v2/0203"),
        ("stu3", "dstu2", "http://hl7.org/fhir/v2/0203"),
        ("stu3", "stu3", "http://hl7.org/fhir/v2/0203"),
        ("r4", "r4", THO + "v2-0203"),
    ],
)
def test_the_tenants_mrn_system_gets_the_type(source: str, target: str, system: str) -> None:
    patient = {"resourceType": "Patient", "identifier": [{"value": "1"}, {"system": "urn:mrn", "value": "12"}]}
    out = adapt_resource(patient, Adaptation(FhirVersion(source), FhirVersion(target), mrn_system="urn:mrn"))
    assert out is not None
    assert out["identifier"] == [{"value": "1"}, mrn(system)]
    assert patient["identifier"][1] == {"system": "urn:mrn", "value": "12"}


def test_an_identifier_of_type_mr_is_left_as_the_hospital_typed_it() -> None:
    patient = {"resourceType": "Patient", "identifier": [mrn(THO + "v2-0203"), {"system": "urn:other", "value": "3"}]}
    out = adapt_resource(patient, Adaptation(FhirVersion.R4, FhirVersion.STU3, mrn_system="urn:other"))
    assert out is not None
    assert "type" not in out["identifier"][1]


def test_a_patient_replaced_by_another_stays_so_and_a_backward_link_goes(adapt: Adapt) -> None:
    links = [
        {"type": kind, "other": {"reference": f"Patient/{n}"}} for n, kind in enumerate(("replaced-by", "replaces"))
    ]
    patient = {"resourceType": "Patient", "link": links}
    assert adapt(patient, "r4>stu3")["link"] == links
    assert adapt(patient, "r4>dstu2")["link"] == [{"type": "replace", "other": {"reference": "Patient/0"}}]


def test_profiles_and_the_source_of_a_version_are_dropped(adapt: Adapt) -> None:
    meta = {"versionId": "3", "source": "urn:x", "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/x"]}
    assert adapt({"resourceType": "Patient", "id": "1", "meta": meta}, "r4>stu3")["meta"] == {"versionId": "3"}
    assert "meta" not in adapt({"resourceType": "Patient", "id": "1", "meta": {"profile": ["x"]}}, "r4>stu3")


def test_elements_of_no_table_do_not_pass(adapt: Adapt) -> None:
    out = adapt({"resourceType": "Patient", "id": "1", "color": "red", "name": [{"text": "A", "sort": 1}]}, "r4>stu3")
    assert out == {"resourceType": "Patient", "id": "1", "name": [{"text": "A"}]}


@pytest.mark.parametrize("element", ["modifierExtension", "implicitRules"])
def test_a_modifier_that_the_gateway_does_not_know_hides_the_resource(adapt: Adapt, element: str) -> None:
    value = "urn:rules" if element == "implicitRules" else [{"url": "urn:x", "valueBoolean": True}]
    assert adapt({"resourceType": "Patient", "id": "1", element: value}, "r4>stu3") is None
    assert adapt({"resourceType": "Patient", "contact": [{"modifierExtension": [{"url": "x"}]}]}, "r4>stu3") is None


def test_a_reference_loses_what_dstu2_has_not(adapt: Adapt) -> None:
    reference = {"reference": "Organization/1", "type": "Organization", "identifier": {"value": "x"}, "display": "O"}
    patient = {"resourceType": "Patient", "managingOrganization": reference}
    assert adapt(patient, "r4>stu3")["managingOrganization"] == {
        "reference": "Organization/1",
        "identifier": {"value": "x"},
        "display": "O",
    }
    assert adapt(patient, "r4>dstu2")["managingOrganization"] == {"reference": "Organization/1", "display": "O"}


def test_an_extension_whose_type_is_newer_than_the_release_goes_whole(adapt: Adapt) -> None:
    extensions = [{"url": "urn:a", "valueExpression": {"language": "x"}}, {"url": "urn:b", "valueUrl": "http://x"}]
    out = adapt({"resourceType": "Patient", "id": "1", "extension": extensions}, "r4>stu3")
    assert out["extension"] == [{"url": "urn:b", "valueUri": "http://x"}]
