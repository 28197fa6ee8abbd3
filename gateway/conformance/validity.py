"""Validation against the models of FHIR; nothing of a value ever leaves it."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from gateway.conformance.paths import Resource
from gateway.versions import FhirVersion

# The library's R4B: for the resources of the app the same as R4.
_PACKAGES: Mapping[FhirVersion, str] = {FhirVersion.STU3: "STU3", FhirVersion.R4: "R4B"}
# What is absent is the matter of the checks of fields, each of its own.
_ABSENT = ("missing", "model_field_validation.missing")
_NO_CHOICE = "Value error, Expect any of field value"  # none of medicationReference, medicationCodeableConcept


def can_validate(version: FhirVersion) -> bool:
    return version in _PACKAGES


def problems(resource: Resource, version: FhirVersion) -> list[str]:
    """Locations, without indexes, that break the rules of the resource's type; no values. Each once, sorted."""
    resource_type = str(resource.get("resourceType"))
    model = _model(resource_type, version)
    if model is None:
        return []
    try:
        model.model_validate(resource)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return sorted({_location(resource_type, problem) for problem in found if not _is_absence(problem)})
    return []


@cache
def _model(resource_type: str, version: FhirVersion) -> type[BaseModel] | None:
    # Imported when needed: the check is the only user of these large modules.
    module = import_module(f"fhir.resources.{_PACKAGES[version]}.{resource_type.lower()}")
    model: type[BaseModel] = getattr(module, resource_type)
    return model


def _is_absence(problem: Any) -> bool:  # noqa: ANN401  # pydantic's ErrorDetails is not exported by pydantic
    return problem["type"] in _ABSENT or str(problem["msg"]).startswith(_NO_CHOICE)


def _location(resource_type: str, problem: Any) -> str:  # noqa: ANN401  # pydantic's ErrorDetails is not exported by pydantic
    names = (part for part in problem["loc"] if isinstance(part, str) and part.isidentifier())
    return ".".join((resource_type, *names))
