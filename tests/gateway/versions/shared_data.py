"""The shared data by release, the paths, and the types that the tests are written in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from gateway.versions import FhirVersion
from gateway.versions.table import Json, JsonObject

DATA = Path(__file__).parents[3].parent / "shared" / "data"
PATHS = [
    (FhirVersion.R4, FhirVersion.STU3),
    (FhirVersion.R4, FhirVersion.DSTU2),
    (FhirVersion.STU3, FhirVersion.DSTU2),
    (FhirVersion.DSTU2, FhirVersion.STU3),
]
type Adapt = Callable[[JsonObject, str], Json]
type Data = Callable[[FhirVersion], list[JsonObject]]


def read_data(version: FhirVersion) -> Iterator[JsonObject]:
    """Yield every resource of the shared data in this release."""
    for folder in (DATA / version, DATA / "hl7-examples" / version):
        for file in sorted(folder.glob("*.ndjson")):
            yield from map(orjson.loads, file.read_bytes().splitlines())
