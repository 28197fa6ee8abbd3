"""Capability statements (DSTU2: Conformance) of the faces, generated from one table of what the gateway does."""

from typing import Any

from gateway.fhir.faces import Face
from gateway.settings import Settings
from gateway.versions import FhirVersion

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
# The app's page prints the value set's address as the system; the standard has the code system's. Both are published.
_SECURITY_SYSTEMS = (
    "https://hl7.org/fhir/ValueSet/restful-security-service",
    "http://hl7.org/fhir/restful-security-service",
)
_R4_SECURITY_SYSTEM = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_PUBLISHED = "2026-11-24"

type Parameters = dict[str, str]

_COMMON: Parameters = {"_id": "token"}
_SEARCH: dict[str, Parameters] = {
    "Patient": {
        "family": "string",
        "given": "string",
        "name": "string",
        "birthdate": "date",
        "gender": "token",
        "identifier": "token",
    },
    "Observation": {"patient": "reference", "category": "token", "code": "token", "date": "date"},
    "Condition": {"patient": "reference"},
    "Encounter": {"patient": "reference", "date": "date", "status": "token"},
    "AllergyIntolerance": {"patient": "reference"},
    "MedicationRequest": {"patient": "reference", "status": "token"},
    "MedicationStatement": {"patient": "reference", "status": "token"},
    "Coverage": {"patient": "reference"},
    "Location": {"name": "string"},
}
_READ_ONLY = ("Practitioner", "Organization", "Medication")
_DSTU2_NAMES = {"MedicationRequest": "MedicationOrder"}
_INTERACTIONS = ("read", "vread", "history-instance", "search-type")


def capability_statement(face: Face, prefix: str, settings: Settings) -> dict[str, Any]:
    """The face's own statement; `prefix` is the face's part of the base address (`/stu3`, or empty)."""
    dstu2 = face.version is FhirVersion.DSTU2
    statement: dict[str, Any] = {
        "resourceType": "Conformance" if dstu2 else "CapabilityStatement",
        "status": "active",
        "date": _PUBLISHED,
        "publisher": "Patients Gateway",
        "kind": "instance",
        "software": {"name": "Patients Gateway"},
        "implementation": {
            "description": "FHIR interop service for the Patients app",
            "url": f"{settings.fhir_base_url}{prefix}",
        },
        "fhirVersion": face.number,
        "format": list(dict.fromkeys([face.media_type, "application/fhir+json", "application/json", "json"])),
        "rest": [_rest(face, settings)],
    }
    if face.version is not FhirVersion.R4:
        statement["acceptUnknown"] = "both"
    return statement


def _rest(face: Face, settings: Settings) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "mode": "server",
        "security": _security(face, settings),
        "resource": [
            *(_resource(name, parameters, face) for name, parameters in _SEARCH.items()),
            *(_resource(name, {}, face) for name in _READ_ONLY),
        ],
        "interaction": [{"code": "batch"}],
    }
    if face.version is FhirVersion.DSTU2:
        # DSTU2 says `batch` here; its system interactions (transaction, search-system, history-system) are not done,
        # but the app reads rest.interaction, and the list may not be empty.
        rest["transactionMode"] = "batch"
        rest["interaction"] = [{"code": "transaction", "documentation": "batch only; a transaction is refused"}]
    return rest


def _security(face: Face, settings: Settings) -> dict[str, Any]:
    systems = (*_SECURITY_SYSTEMS, *((_R4_SECURITY_SYSTEM,) if face.version is FhirVersion.R4 else ()))
    return {
        "extension": [
            {
                "url": _OAUTH_URIS,
                "extension": [
                    {"url": "token", "valueUri": settings.token_url},
                    {"url": "authorize", "valueUri": f"{settings.base_url}/oauth2/authorize"},
                ],
            }
        ],
        "service": [{"coding": [{"system": system, "code": "OAuth", "display": "OAuth"} for system in systems]}],
        "description": "OAuth 2.0 client credentials; the scope holds the Entra tenant id",
    }


def _resource(name: str, parameters: Parameters, face: Face) -> dict[str, Any]:
    interactions = _INTERACTIONS if parameters else _INTERACTIONS[:3]
    resource: dict[str, Any] = {
        "type": _DSTU2_NAMES.get(name, name) if face.version is FhirVersion.DSTU2 else name,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned",
    }
    if parameters:
        resource["searchParam"] = [
            {"name": parameter, "type": kind} for parameter, kind in {**_COMMON, **parameters}.items()
        ]
    return resource
