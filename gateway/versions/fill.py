"""Displays that the app reads and a server has elsewhere: which resources to fetch for them, and putting them in.

The gateway fetches (bounded, concurrent, for one request only); here is what it needs to know. Fill before adapting: a
PractitionerRole's reference does not survive the way down, its display does. Resources may be of any release.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.versions.mirror import at, mirror_texts, text_of
from gateway.versions.table import Json, JsonObject
from gateway.versions.type_names import type_of

__all__ = ["display_of", "fill_displays", "mirror_texts", "missing_displays"]

MOST_FETCHED: Final = 20
# Where the app reads a display, under the names of all releases.
_PLACES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "Patient": (("generalPractitioner",), ("careProvider",)),
    "Encounter": (("location", "location"),),
    "MedicationRequest": (("medicationReference",), ("requester",), ("requester", "agent")),
    "MedicationOrder": (("medicationReference",), ("prescriber",)),
    "MedicationStatement": (("medicationReference",),),
    "Coverage": (("payor",), ("issuer",)),
}
_NAMED: Final = frozenset({"Location", "Practitioner", "PractitionerRole", "Organization", "Medication"})


def missing_displays(resources: Iterable[JsonObject], most: int = MOST_FETCHED) -> list[str]:
    """Return the literal references (as they are written, each once, in order, `most` at the most) that lack a
    display which the app would show. References to contained resources are not among them: `fill_displays` follows
    those by itself.
    """
    found: dict[str, None] = {}
    for resource in resources:
        if resource.get("resourceType") not in _PLACES:
            continue
        for reference in _bare(resource):
            literal = reference["reference"]
            if type_of(literal) in _NAMED:
                found[literal] = None
                if len(found) >= most:
                    return list(found)
    return list(found)


def fill_displays(resources: Iterable[JsonObject], fetched: Mapping[str, JsonObject]) -> None:
    """Write the displays that are missing, from `fetched` (by literal reference) and from contained resources, in
    place.

    The caller owns the resources. What was not fetched, or has no name, leaves its place as it was.
    """
    for resource in resources:
        bare = list(_bare(resource))
        if not bare:
            continue
        contained = {
            f"#{one['id']}": one
            for one in at(resource, ("contained",))
            if type(one) is dict and type(one.get("id")) is str
        }
        for reference in bare:
            named = contained.get(reference["reference"]) or fetched.get(reference["reference"])
            display = display_of(named) if named is not None else None
            if display is not None:
                reference["display"] = display


def display_of(resource: JsonObject) -> str | None:
    """Return what a reader would call a Location, Organization, Practitioner, PractitionerRole or Medication."""
    match resource.get("resourceType"):
        case "Location" | "Organization":
            return _text(resource.get("name"))
        case "Practitioner":
            return next((text for text in map(_name, at(resource, ("name",))) if text), None)
        case "PractitionerRole":
            return next((d for d in map(_text, at(resource, ("practitioner", "display"))) if d), None)
        case "Medication":
            code = resource.get("code")
            return text_of(code) if type(code) is dict else None
        case _:
            return None


def _bare(resource: JsonObject) -> Iterator[JsonObject]:
    for path in _PLACES.get(str(resource.get("resourceType")), ()):
        for reference in at(resource, path):
            if type(reference) is dict and type(reference.get("reference")) is str and not reference.get("display"):
                yield reference


def _name(name: Json) -> str | None:
    if type(name) is not dict:
        return None
    if _text(name.get("text")):
        return str(name["text"])
    parts = [part for element in ("prefix", "given", "family", "suffix") for part in at(name, (element,))]
    return " ".join(part for part in parts if type(part) is str and part) or None


def _text(value: Json) -> str | None:
    return value if type(value) is str and value else None
