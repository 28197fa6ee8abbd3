import re
from dataclasses import dataclass

from gateway.versions import FhirVersion


@dataclass(frozen=True, slots=True)
class Face:
    """One FHIR version as shown to the app."""

    version: FhirVersion
    number: str
    """What `fhirVersion` says."""
    media_type: str
    accepts: frozenset[str]
    """JSON media types that the app may name; all mean the same."""


_JSON = frozenset(
    {
        "application/fhir+json",
        "application/json+fhir",
        "application/json",
        "text/json",
        "*/*",
        "application/*",
    }
)
FACES = {
    FhirVersion.DSTU2: Face(FhirVersion.DSTU2, "1.0.2", "application/json+fhir", _JSON),
    FhirVersion.STU3: Face(FhirVersion.STU3, "3.0.2", "application/fhir+json", _JSON),
    FhirVersion.R4: Face(FhirVersion.R4, "4.0.1", "application/fhir+json", _JSON),
}
_BY_NUMBER = {"1.0": FhirVersion.DSTU2, "3.0": FhirVersion.STU3, "4.0": FhirVersion.R4}
_FHIR_VERSION = re.compile(r"""fhirVersion\s*=\s*"?([0-9]+\.[0-9]+)(?:\.[0-9]+)?"?""", re.IGNORECASE)


def split_face(path: str, accept: str, default: FhirVersion) -> tuple[Face, str, str]:
    """The face that a path below `/fhir` names, its prefix (`/dstu2`, or empty) and the rest of the path.

    Without a version in the path, `fhirVersion` of the Accept header decides (FHIR R4 http §2.21.0.6), else `default`.
    """
    first, _, rest = path.partition("/")
    if first.lower() in FhirVersion:
        return FACES[FhirVersion(first.lower())], f"/{first.lower()}", rest
    return negotiated_face(accept, default), "", path


def negotiated_face(accept: str, default: FhirVersion) -> Face:
    match = _FHIR_VERSION.search(accept)
    return FACES[_BY_NUMBER.get(match[1], default) if match else default]
