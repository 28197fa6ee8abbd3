"""The tables against the element definitions of the releases, as fhir.resources has them (R4B's are R4's here)."""

from importlib import import_module
from itertools import product
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel

from gateway.versions import FhirVersion
from gateway.versions.compile import converter
from gateway.versions.registry import tables
from gateway.versions.table import COLUMNS, Cell, Table, table
from tests.gateway.versions.shared_data import PATHS

PACKAGES = {FhirVersion.STU3: "fhir.resources.STU3", FhirVersion.R4: "fhir.resources.R4B"}
MODELS = {"Dosage": "Dosage", "StatementDosage": "Dosage"}
# Written by steps beside the rows.
BY_STEPS = {
    "Patient": set(),
    "HumanName": {"family"},
    "Observation": {"related", "hasMember", "derivedFrom"},
    "MedicationRequest": {"requester"},
    "MedicationStatement": {"taken"},
    "Coverage": {"grouping", "sequence", "class"},
    "Dosage": {"doseAndRate"},
    "StatementDosage": {"doseAndRate"},
}
# Left out on purpose (docs/versions.md): no counterpart below, or none above.
LEFT_OUT = {
    FhirVersion.R4: {
        "Meta": {"source", "profile"},
        "Reference": {"type"},
        "Observation": {"focus", "partOf"},
        "Condition": {"recorder"},
        "Condition.stage": {"type"},
        "Encounter": {"serviceType", "reasonReference"},
        "Encounter.location": {"physicalType"},
        "AllergyIntolerance": {"encounter"},
        "MedicationRequest": {
            "courseOfTherapyType", "instantiatesCanonical", "instantiatesUri", "insurance", "performer",
            "performerType", "reportedBoolean", "reportedReference", "statusReason",
        },
        "MedicationRequest.dispenseRequest": {"dispenseInterval", "initialFill"},
        "MedicationStatement": {"statusReason"},
        "Medication": {"amount", "batch", "identifier"},
        "Coverage": {"costToBeneficiary", "subrogation"},
        "Location": {"availabilityExceptions", "hoursOfOperation"},
    },
    FhirVersion.STU3: {
        "Meta": {"profile"},
        "MedicationRequest": {"definition"},
        "Medication": {"image", "package"},
    },
}  # fmt: skip
EVERYWHERE = {"resource_type", "fhir_comments", "contained", "implicitRules", "modifierExtension"}


def model_of(name: str, package: str) -> type[BaseModel] | None:
    name = MODELS.get(name, name)
    module = import_module(f"{package}.{name.partition('.')[0].lower()}")
    found: type[BaseModel] | None = getattr(
        module, "".join(part[0].upper() + part[1:] for part in name.split(".")), None
    )
    return found


def elements(model: type[BaseModel]) -> dict[str, bool]:
    """Return whether each element repeats."""
    found = {}
    for name, field in model.model_fields.items():
        alias = field.alias or name
        if name.endswith("__ext") or alias.startswith("_"):
            continue
        kinds = [field.annotation, *get_args(field.annotation)]
        found[alias] = any(get_origin(kind) is list for kind in kinds)
    return found


def keys(cell: Cell) -> list[str]:
    return [cell.name + kind[0].upper() + kind[1:] for kind in cell.types] if cell.choice else [cell.name]


def described(one: Table, version: FhirVersion) -> dict[str, Cell]:
    return {key: cell for row in one.rows if (cell := row.cells[version]) is not None for key in keys(cell)}


@pytest.mark.parametrize("version", [FhirVersion.STU3, FhirVersion.R4])
@pytest.mark.parametrize("name", sorted(tables()))
def test_every_element_of_the_tables_is_one_of_the_release_and_no_other_is_forgotten(
    name: str, version: FhirVersion
) -> None:
    one = tables()[name]
    cells = described(one, version)
    model = None if name in ("Element", "Extension") else model_of(name, PACKAGES[version])
    if model is None:  # a part that this release has not
        assert not (set(cells) - {"id", "extension"}) or name in ("Element", "Extension")
        return
    defined = elements(model)
    unknown = {key for key in cells if key not in defined}
    assert unknown == set()
    assert {key: cell.many for key, cell in cells.items()} == {key: defined[key] for key in cells}
    forgotten = set(defined) - set(cells) - EVERYWHERE - BY_STEPS.get(name, set())
    assert forgotten == LEFT_OUT[version].get(name, set())


@pytest.mark.parametrize(("path", "name"), list(product(PATHS, sorted(tables()))))
def test_every_table_compiles_on_every_path(path: tuple[FhirVersion, FhirVersion], name: str) -> None:
    converter(name, *path)({})  # a list that meets a single value without a word, or a type without conversion, raises


def test_the_notation() -> None:
    one = table("X", "# comment\na*!?! code | = | b Reference(Patient/Group)/string | first")
    cells = {version: one.rows[-1].cells[version] for version in COLUMNS}
    dstu2, r4 = cells[FhirVersion.DSTU2], cells[FhirVersion.R4]
    assert dstu2 is cells[FhirVersion.STU3]
    assert dstu2 is not None
    assert r4 is not None
    assert (dstu2.name, dstu2.many, dstu2.required, dstu2.modifier) == ("a", True, True, True)
    assert r4.types == {"Reference": ("Patient", "Group"), "string": ()}
    with pytest.raises(ValueError, match="three cells"):
        table("X", "a code | =")
    with pytest.raises(ValueError, match="not a cell"):
        table("X", "a | = | =")
