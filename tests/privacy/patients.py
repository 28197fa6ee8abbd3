"""What must be found nowhere: every word that tells who a patient of the test hospitals is."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from local.sandbox.hospitals import HOSPITALS_FOLDER

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"

# Words too common to mean a patient by themselves; they are searched for as parts of the whole name and address.
# Each comes with what else says it.
COMMON = {
    "us": "a country, and microseconds",
    "massachusetts": "a state, not a person",
    "ma": "a state's code",
    "boston": "a city of many",
    "reading": "a city, and what a gateway does",
    "black": "a family, and a colour",
}
_SHORT_NUMBER = re.compile(r"\d{1,6}")
_LEAST = 2
_LEAST_RECORD = 5


class Needle(NamedTuple):
    kind: str
    text: str


def resources(resource_type: str) -> Iterator[dict[str, Any]]:
    """The records of the sandbox's hospitals, and of the shared test data where it is."""
    folders = [*HOSPITALS_FOLDER.iterdir(), *(SHARED_DATA / version for version in ("dstu2", "stu3", "r4"))]
    for folder in folders:
        path = folder / f"{resource_type}.ndjson"
        if path.is_file():
            yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


@cache
def patient_needles() -> frozenset[Needle]:
    """Ids, names, identifiers, birth dates, telephone numbers and addresses of every patient, and whatever else of
    theirs tells them apart: subscriber numbers, the ids of their records.
    """
    found = {needle for patient in resources("Patient") for needle in _of_patient(patient)}
    for coverage in resources("Coverage"):
        for key in ("subscriberId", "dependent"):
            found |= set(_texts("identifier", coverage.get(key)))
        found |= {Needle("identifier", text) for text in _identifiers(coverage)}
    for name in ("Encounter", "Condition", "Observation", "AllergyIntolerance", "Coverage", "MedicationRequest"):
        found |= {Needle("record", record["id"]) for record in resources(name) if len(record["id"]) >= _LEAST_RECORD}
    return frozenset(needle for needle in found if _tells(needle))


def _of_patient(patient: dict[str, Any]) -> Iterator[Needle]:
    # A short number is somebody's id only where it stands as one.
    if _SHORT_NUMBER.fullmatch(patient["id"]):
        for shape in ("Patient/{}", "patient={}", "patient': '{}'", 'patient": "{}"', "_id={}", "patient/{}"):
            yield Needle("id", shape.format(patient["id"]))
    else:
        yield Needle("id", patient["id"])
    for name in patient.get("name", []):
        family, given = (" ".join(_words(name.get(part))) for part in ("family", "given"))
        yield from (
            Needle("name", f"{one} {other}") for one, other in ((given, family), (family, given)) if one and other
        )
        yield from (Needle("name", word) for part in ("family", "given", "text") for word in _words(name.get(part)))
    yield from (Needle("identifier", text) for text in _identifiers(patient))
    yield from (Needle("telecom", one["value"]) for one in patient.get("telecom", []) if "value" in one)
    yield from _texts("birth date", patient.get("birthDate"))
    if "birthDate" in patient:
        yield Needle("birth date", patient["birthDate"].replace("-", ""))
    for address in patient.get("address", []):
        yield from (Needle("address", word) for part in ("line", "city", "text") for word in _words(address.get(part)))
        yield from _texts("address", address.get("postalCode"))


def _identifiers(resource: dict[str, Any]) -> list[str]:
    return [one["value"] for one in resource.get("identifier", []) if "value" in one]


def _texts(kind: str, value: object) -> Iterator[Needle]:
    if isinstance(value, str):
        yield Needle(kind, value)


def _words(value: object) -> Iterable[str]:
    return [value] if isinstance(value, str) else value if isinstance(value, list) else []


def _tells(needle: Needle) -> bool:
    text = needle.text.lower()
    digits = text.replace("0", "")
    return len(text) >= _LEAST and digits != "" and text not in COMMON and not _SHORT_NUMBER.fullmatch(text)
