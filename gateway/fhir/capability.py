"""Capability statements (DSTU2: Conformance) of the faces, generated from one table of what the gateway does."""

from typing import Any

from gateway.fhir.faces import Face
from gateway.settings import Settings
from gateway.tokens.description import oauth_uris
from gateway.versions import FhirVersion, adapt_type_name

# The app's page prints the value set's address as the system; the standard has the code system's. Both are published.
_SECURITY_SYSTEMS = (
    "https://hl7.org/fhir/ValueSet/restful-security-service",
    "http://hl7.org/fhir/restful-security-service",
)
_R4_SECURITY_SYSTEM = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_PUBLISHED = "2026-11-24"

# What the gateway offers of every tenant, whatever its server: `name` of DSTU2, STU3 and R4 (- for none), type of the
# parameter, and a note where the parameter is not the standard's. More may work where the server knows more.
_PARAMETERS = {
    "Patient": """
        family      family      family      string     Anywhere in the name at the DSTU2 and STU3 faces
        given       given       given       string     Anywhere in the name at the DSTU2 and STU3 faces
        name        name        name        string     Anywhere in the name at the DSTU2 and STU3 faces
        birthdate   birthdate   birthdate   date
        gender      gender      gender      token
        identifier  identifier  identifier  token
    """,
    "Observation": """
        patient   patient   patient   reference
        category  category  category  token
        code      code      code      token
        date      date      date      date
    """,
    "Condition": """
        patient         patient          patient          reference
        clinicalstatus  clinical-status  clinical-status  token
    """,
    "Encounter": """
        patient  patient  patient  reference
        date     date     date     date
        status   status   status   token
    """,
    "AllergyIntolerance": """
        patient  patient          patient          reference
        -        clinical-status  clinical-status  token
    """,
    "MedicationRequest": """
        patient      patient     patient     reference
        status       status      status      token
        datewritten  authoredon  authoredon  date
    """,
    "MedicationStatement": """
        patient  patient  patient  reference
        status   status   status   token
    """,
    "Coverage": """
        patient  patient      patient      reference  Of the Patients app; the standard has it since R4
        -        beneficiary  beneficiary  reference
    """,
    "Location": "name name name string",
    "Practitioner": "",
    "Organization": "",
    "Medication": "",
}
_FACES = (FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4)
_READING = ("read", "vread", "history-instance")


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
        # The face's own first; all of them are understood in Accept and _format.
        "format": list(dict.fromkeys([face.media_type, "application/fhir+json", "application/json", "json"])),
        "rest": [_rest(face, settings)],
    }
    if face.version is not FhirVersion.R4:
        statement["acceptUnknown"] = "both"
    return statement


def _rest(face: Face, settings: Settings) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "mode": "server",
        "documentation": "Read-only. The tenant of the access token decides which FHIR server answers.",
        "security": _security(face, settings),
        "resource": [_resource(name, face) for name in _PARAMETERS],
        "interaction": [{"code": "batch"}],
    }
    if face.version is FhirVersion.DSTU2:
        # DSTU2 knows no code `batch` here: `transaction` is the POST of a Bundle, and transactionMode says of which.
        rest["transactionMode"] = "batch"
        rest["interaction"] = [{"code": "transaction", "documentation": "Of type batch only; see transactionMode."}]
    return rest


def _security(face: Face, settings: Settings) -> dict[str, Any]:
    systems = (*_SECURITY_SYSTEMS, *((_R4_SECURITY_SYSTEM,) if face.version is FhirVersion.R4 else ()))
    return {
        "extension": [oauth_uris(settings)],
        "service": [{"coding": [{"system": system, "code": "OAuth", "display": "OAuth"} for system in systems]}],
        "description": "OAuth 2.0 client credentials; the scope holds the Entra tenant id",
    }


def _resource(name: str, face: Face) -> dict[str, Any]:
    parameters = [_parameter(line, face) for line in _PARAMETERS[name].strip().splitlines()]
    resource: dict[str, Any] = {
        "type": adapt_type_name(name, FhirVersion.R4, face.version),
        "interaction": [{"code": code} for code in (*_READING, "search-type")],
        "versioning": "versioned",
        "readHistory": True,
        "searchParam": [{"name": "_id", "type": "token"}, *filter(None, parameters)],
    }
    if face.version is not FhirVersion.DSTU2:
        resource["conditionalRead"] = "full-support"
    return resource


def _parameter(line: str, face: Face) -> dict[str, Any]:
    *names, kind, note = line.split(maxsplit=4) if len(line.split()) > len(_FACES) + 1 else [*line.split(), ""]
    name = names[_FACES.index(face.version)]
    if name == "-":
        return {}
    return {"name": name, "type": kind, **({"documentation": note} if note else {})}
