import pytest

from gateway.conformance.fields import KINDS
from gateway.conformance.paths import values
from gateway.conformance.shapes import SHAPES, wrong_shapes
from gateway.versions import FhirVersion

PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "A", "given": ["B", "C"]}, {"family": "", "given": []}],
    "identifier": [
        {"type": {"coding": [{"code": "SS"}]}, "value": "1"},
        {"type": {"coding": [{"code": "X"}, {"code": "MR"}]}, "value": "2"},
        {"value": "3"},
    ],
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name.given", ["B", "C"]),
        ("name.family", ["A"]),
        ("name[0].given[1]", ["C"]),
        ("name[1].family", []),
        ("identifier.where(type.coding.code='MR').value", ["2"]),
        ("identifier.where(type.coding.code='no.such').value", []),
        ("gender | name.given", ["B", "C"]),
        ("name.family | name.given", ["A"]),
        ("contact.name", []),
    ],
)
def test_a_path_finds(path: str, expected: list[str]) -> None:
    assert values(PATIENT, path) == expected


def test_another_syntax_is_refused() -> None:
    with pytest.raises(ValueError, match="not a path"):
        values(PATIENT, "name.exists()")


@pytest.mark.parametrize("version", FhirVersion)
def test_every_location_of_a_field_is_a_path(version: FhirVersion) -> None:
    for kind in KINDS[version]:
        for field in kind.fields:
            for path in filter(None, (field.path, field.beside, field.when)):
                values({}, path)


@pytest.mark.parametrize("version", FhirVersion)
def test_every_kind_has_its_shapes(version: FhirVersion) -> None:
    assert set(SHAPES[version]) == {kind.name for kind in KINDS[version]}


@pytest.mark.parametrize(
    ("version", "resource", "wrong"),
    [
        (FhirVersion.STU3, {"name": [{"family": ["A"]}]}, {"name.family": 1}),
        (FhirVersion.DSTU2, {"name": [{"family": ["A"]}]}, {}),
        (FhirVersion.DSTU2, {"name": [{"family": "A"}]}, {"name.family": 1}),
        (FhirVersion.R4, {"name": {"family": "A"}}, {"name": 1}),
        (FhirVersion.R4, {"name": [{"given": ["A", 1]}]}, {"name.given": 1}),
        (FhirVersion.R4, {"gender": {"code": "male"}}, {"gender": 1}),
    ],
)
def test_another_shape_is_found(version: FhirVersion, resource: dict[str, object], wrong: dict[str, int]) -> None:
    assert wrong_shapes([resource], SHAPES[version]["patient"]) == wrong


def test_a_number_is_no_text() -> None:
    shapes = SHAPES[FhirVersion.R4]["observation"]
    assert wrong_shapes([{"valueQuantity": {"value": "120"}}], shapes) == {"valueQuantity.value": 1}
    assert wrong_shapes([{"valueQuantity": {"value": 120.5}}], shapes) == {}
