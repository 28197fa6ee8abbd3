import importlib
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from local.sandbox import Hospital, load_hospitals
from local.sandbox.charts.__main__ import ndjson_files

_HOSPITALS = {hospital.name: hospital for hospital in load_hospitals()}
_PACKAGES = {"northfield": "fhir.resources.STU3", "riverbend": "fhir.resources.R4B"}
_SHARED_TYPES = {
    "Patient",
    "Observation",
    "Condition",
    "Encounter",
    "AllergyIntolerance",
    "Coverage",
    "Location",
    "Practitioner",
    "Organization",
    "Medication",
}


def _resources(hospital: Hospital) -> dict[str, dict[str, Any]]:
    lines = (line for path in hospital.folder.glob("*.ndjson") for line in path.read_bytes().splitlines())
    resources = (orjson.loads(line) for line in lines)
    return {f"{resource['resourceType']}/{resource['id']}": resource for resource in resources}


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def test_three_hospitals_with_fixed_tenants() -> None:
    hospitals = load_hospitals()
    assert [(hospital.version, hospital.access.kind) for hospital in hospitals] == [
        ("dstu2", "open"),
        ("stu3", "api_key"),
        ("r4", "oauth"),
    ]
    tenants = {uuid.UUID(hospital.tenant_id) for hospital in hospitals}
    assert len(tenants) == 3
    assert {tenant.version for tenant in tenants} == {4}


@pytest.mark.parametrize("name", _HOSPITALS)
def test_files_are_what_the_charts_give(name: str) -> None:
    hospital = _HOSPITALS[name]
    stored = {path.name: path.read_bytes() for path in hospital.folder.glob("*.ndjson")}
    assert stored == ndjson_files(hospital)


@pytest.mark.parametrize("name", _PACKAGES)
def test_resources_are_valid(name: str) -> None:
    for resource in _resources(_HOSPITALS[name]).values():
        resource_type = resource["resourceType"]
        module = importlib.import_module(f"{_PACKAGES[name]}.{resource_type.lower()}")
        getattr(module, resource_type).model_validate(resource)


@pytest.mark.parametrize("name", _HOSPITALS)
def test_references_resolve(name: str) -> None:
    resources = _resources(_HOSPITALS[name])
    for resource in resources.values():
        for target in _references(resource):
            if target.startswith("#"):
                assert target[1:] in {contained["id"] for contained in resource["contained"]}
            else:
                assert target in resources


@pytest.mark.parametrize("name", _HOSPITALS)
def test_every_resource_type_is_there(name: str) -> None:
    hospital = _HOSPITALS[name]
    prescriptions = {"MedicationOrder"} if hospital.version == "dstu2" else {"MedicationRequest", "MedicationStatement"}
    assert {path.stem for path in hospital.folder.glob("*.ndjson")} == _SHARED_TYPES | prescriptions


@pytest.mark.parametrize("name", _HOSPITALS)
def test_every_patient_has_an_mrn_and_the_newest_visit_a_location(name: str) -> None:
    hospital = _HOSPITALS[name]
    resources = _resources(hospital).values()
    for patient in (resource for resource in resources if resource["resourceType"] == "Patient"):
        numbers = [
            identifier["value"]
            for identifier in patient["identifier"]
            if identifier["system"] == hospital.mrn_system
            and identifier["type"]["coding"][0]["code"] == "MR"
            and identifier["use"] != "old"
        ]
        assert len(numbers) == 1
        visits = [
            resource
            for resource in resources
            if resource["resourceType"] == "Encounter" and f"Patient/{patient['id']}" in set(_references(resource))
        ]
        newest = max(visits, key=lambda visit: visit["period"]["start"])
        assert newest["location"][0]["location"]["reference"].startswith("Location/")


@pytest.mark.parametrize("name", _HOSPITALS)
def test_somebody_has_no_allergies_recorded(name: str) -> None:
    resources = _resources(_HOSPITALS[name]).values()
    patients = {f"Patient/{resource['id']}" for resource in resources if resource["resourceType"] == "Patient"}
    allergic = {
        resource["patient"]["reference"] for resource in resources if resource["resourceType"] == "AllergyIntolerance"
    }
    assert len(patients - allergic) == 1


def test_r4_loose_ends_for_the_gateway() -> None:
    resources = list(_resources(_HOSPITALS["riverbend"]).values())

    def some(resource_type: str, **elements: object) -> bool:
        return any(
            resource["resourceType"] == resource_type
            and all(resource.get(name) == value for name, value in elements.items())
            for resource in resources
        )

    verification = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
    for code in ("refuted", "entered-in-error"):
        status = {"coding": [{"system": verification, "code": code}]}
        assert some("AllergyIntolerance", verificationStatus=status)
    assert some("MedicationRequest", doNotPerform=True)
    assert some("Observation", status="entered-in-error")
    assert some("MedicationRequest", requester={"reference": "Practitioner/rb.doc.2"})
    assert some("MedicationRequest", medicationReference={"reference": "Medication/rx860975"})
    assert some("MedicationRequest", medicationReference={"reference": "#drug"})
    assert some("Encounter", location=[{"location": {"reference": "Location/rb.loc.5e"}, "status": "active"}])
