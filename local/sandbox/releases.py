"""What differs between the FHIR releases at the level of the protocol."""

from collections.abc import Mapping
from typing import NamedTuple

from local.sandbox.hospitals import Version


class Release(NamedTuple):
    """A FHIR release's number, its JSON media type and the resource that `metadata` answers with."""

    fhir_version: str
    media_type: str
    metadata_type: str


RELEASES: Mapping[Version, Release] = {
    "dstu2": Release("1.0.2", "application/json+fhir", "Conformance"),
    "stu3": Release("3.0.2", "application/fhir+json", "CapabilityStatement"),
    "r4": Release("4.0.1", "application/fhir+json", "CapabilityStatement"),
}
