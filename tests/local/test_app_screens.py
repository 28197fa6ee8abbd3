import pytest

from local.app_screens import MISSING, VITALS, Column, concerns, elements, patient_list, vitals_rows

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [
        {"type": {"coding": [{"code": "SS"}]}, "value": "not-this"},
        {"type": {"coding": [{"code": "MR"}]}, "value": "MRN-1"},
    ],
    "name": [{"family": "Rossi", "given": ["Ada", "Maria"]}, {"family": "Maiden", "given": ["Ada"]}],
    "gender": "female",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("gender", ["female"]),
        ("name[0].given", ["Ada", "Maria"]),
        ("name.family", ["Rossi", "Maiden"]),
        ("name[2].family", []),
        ("identifier(type.coding.code=MR).value", ["MRN-1"]),
        ("gender.nothing.below", []),
    ],
)
def test_elements_at_a_path(path: str, expected: list[str]) -> None:
    assert elements(PATIENT, path) == expected


def test_an_element_that_the_app_needs_shows_as_missing() -> None:
    shown = {column.heading: column.text(PATIENT) for column in patient_list("stu3").columns}
    assert shown == {
        "Given": "Ada Maria",
        "Family": "Rossi",
        "Gender": "female",
        "Born": MISSING,
        "MRN": "MRN-1",
        "GP": "",
    }


def test_the_first_path_that_is_there_counts() -> None:
    column = Column("Drug", ("medicationReference.display", "medicationCodeableConcept.text"))
    assert column.text({"medicationCodeableConcept": {"text": "aspirin"}}) == "aspirin"


def test_each_component_of_a_vital_sign_is_a_line() -> None:
    def component(code: str, value: int) -> dict[str, object]:
        return {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value, "unit": "mmHg"}}

    pressure = {
        "effectivePeriod": {"start": "2026-01-02"},
        "component": [component("8480-6", 120), component("8462-4", 0)],
    }
    lines = [[column.text(row) for column in VITALS.columns] for row in vitals_rows(pressure)]
    assert lines == [["2026-01-02", "8480-6", "", "120", "mmHg"], ["2026-01-02", "8462-4", "", "0", "mmHg"]]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Patient", "id": "p1"}, True),
        ({"resourceType": "Patient", "id": "p2"}, False),
        ({"resourceType": "Condition", "subject": {"reference": "Patient/p1"}}, True),
        ({"resourceType": "Condition", "patient": {"reference": "http://h/fhir/Patient/p2"}}, False),
        ({"resourceType": "Coverage", "beneficiary": {"reference": "Patient/p11"}}, False),
    ],
)
def test_whom_a_resource_is_about(resource: dict[str, object], *, expected: bool) -> None:
    assert concerns(resource, "p1") is expected
