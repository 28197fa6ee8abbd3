import pytest

from gateway.versions import FhirVersion
from gateway.versions.codesystems import below_r4, move_coding, r4_name, system_name
from tests.gateway.versions.shared_data import Adapt

THO = "http://terminology.hl7.org/CodeSystem/"
HL7 = "http://hl7.org/fhir/"
RENAMED = [
    ("v2-0203", "v2/0203"),
    ("observation-category", "observation-category"),
    ("condition-category", "condition-category"),
    ("v3-ActCode", "v3/ActCode"),
    ("v3-RoleCode", "v3/RoleCode"),
    ("v3-ParticipationType", "v3/ParticipationType"),
    ("participant-type", "participant-type"),
    ("v3-ObservationInterpretation", "v2/0078"),
    ("data-absent-reason", "data-absent-reason"),
    ("restful-security-service", "restful-security-service"),
    ("v2-0131", "v2/0131"),
    ("v3-MaritalStatus", "v3/MaritalStatus"),
]


@pytest.mark.parametrize(("new", "old"), RENAMED)
def test_renamed_systems_both_ways(new: str, old: str) -> None:
    assert below_r4(THO + new) == HL7 + old
    assert r4_name(HL7 + old) == THO + new


@pytest.mark.parametrize("system", ["http://snomed.info/sct", "http://loinc.org", "http://unitsofmeasure.org", "urn:x"])
def test_other_systems_stay(system: str) -> None:
    assert below_r4(system) == r4_name(system) == system
    assert system_name(system, FhirVersion.R4, FhirVersion.DSTU2) == system


@pytest.mark.parametrize("code", ["UDI", "SNO", "SB", "PLAC", "FILL"])
def test_some_identifier_types_had_a_system_of_their_own(code: str) -> None:
    moved = move_coding({"system": THO + "v2-0203", "code": code}, FhirVersion.R4, FhirVersion.STU3)
    assert moved == {"system": HL7 + "identifier-type", "code": code}


@pytest.mark.parametrize(
    ("system", "code", "target"),
    [
        ("v2-0203", "JHN", FhirVersion.STU3),
        ("v2-0203", "ACSN", FhirVersion.DSTU2),
        ("data-absent-reason", "not-performed", FhirVersion.DSTU2),
        ("data-absent-reason", "not-applicable", FhirVersion.STU3),
        *(
            ("v3-ObservationInterpretation", c, FhirVersion.STU3)
            for c in ["CAR", "E", "EX", "EXP", "H>", "HX", "L<", "LX", "NCL", "UNE"]
        ),
    ],
)
def test_codes_without_counterpart(system: str, code: str, target: FhirVersion) -> None:
    assert move_coding({"system": THO + system, "code": code}, FhirVersion.R4, target) is None


def test_stu3_keeps_what_only_dstu2_lacks() -> None:
    assert move_coding({"system": THO + "v2-0203", "code": "ACSN"}, FhirVersion.R4, FhirVersion.STU3) is not None


def test_codings_in_extensions_and_quantities_are_renamed(adapt: Adapt) -> None:
    coding = {"system": THO + "v3-orderableDrugForm", "code": "TAB"}
    request = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "extension": [{"url": "u", "extension": [{"url": "v", "valueCoding": coding}]}],
        "valueQuantity": {"value": 1, **coding},
    }
    out = adapt(request, "r4>stu3")
    old = {"system": HL7 + "v3/orderableDrugForm", "code": "TAB"}
    assert out["extension"][0]["extension"][0]["valueCoding"] == old
    assert out["valueQuantity"] == {"value": 1, **old}
