"""What the app reads, filled from beside it: text from displays, displays from text, the type of the MRN."""

from collections.abc import Iterator
from typing import Final

from gateway.versions.codesystems import HL7, IDENTIFIER_TYPES
from gateway.versions.table import Json, JsonObject
from gateway.versions.version import FhirVersion

MR: Final = "MR"
_MR_SYSTEMS: Final = {
    FhirVersion.R4: IDENTIFIER_TYPES,
    FhirVersion.STU3: HL7 + "v2/0203",
    FhirVersion.DSTU2: HL7 + "v2/0203",
}
# The concepts that the app shows (patients-app documentation), by the names of all releases: an element, and the one
# within it that is the concept where it is not one itself.
_CONCEPTS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Observation": (("code", ""), ("component", "code")),
    "Condition": (("code", ""), ("severity", "")),
    "Encounter": (("type", ""),),
    "AllergyIntolerance": (("code", ""), ("substance", ""), ("reaction", "substance"), ("reaction", "manifestation")),
    "MedicationRequest": (("medicationCodeableConcept", ""),),
    "MedicationOrder": (("medicationCodeableConcept", ""),),
    "MedicationStatement": (("medicationCodeableConcept", ""),),
    "Medication": (("code", ""),),
}


def mirror_texts(resource: JsonObject) -> None:
    """Complete the concepts that the app shows, in place: a missing text from the coding's display, a missing
    display of the first coding from the text. A concept of text alone gets a coding of that display and no code.
    """
    # Plain loops: this looks at every entry of every answer.
    for element, child in _CONCEPTS.get(str(resource.get("resourceType")), ()):
        held = resource.get(element)
        if held is None:
            continue
        if not child:
            _mirror(held)
            continue
        for parent in held if type(held) is list else (held,):
            if type(parent) is dict:
                _mirror(parent.get(child))


def text_of(concept: JsonObject) -> str | None:
    """Return what a reader would call the concept: its text, else the display that was selected, else the first
    display.
    """
    text = concept.get("text")
    if type(text) is str and text:
        return text
    shown = [coding for coding in _codings(concept) if type(coding.get("display")) is str and coding["display"]]
    chosen = next((coding for coding in shown if coding.get("userSelected") is True), shown[0] if shown else None)
    return None if chosen is None else str(chosen["display"])


def mark_mrn(patient: JsonObject, system: str, version: FhirVersion) -> None:
    """Give the identifier of the tenant's MRN system the type MR, in place, unless some identifier has that type
    already.
    """
    identifiers = [one for one in at(patient, ("identifier",)) if type(one) is dict]
    mr = _MR_SYSTEMS[version]
    if any(
        coding.get("code") == MR and coding.get("system") == mr for one in identifiers for coding in _type_codings(one)
    ):
        return
    for one in identifiers:
        if one.get("system") == system and one.get("use") != "old":
            held = one.get("type")
            concept = held if type(held) is dict else {}
            one["type"] = {**concept, "coding": [{"system": mr, "code": MR}, *_codings(concept)]}
            return


def at(value: Json, path: tuple[str, ...]) -> Iterator[Json]:
    """Yield what stands at a path of element names, through lists."""
    if type(value) is list:
        for item in value:
            yield from at(item, path)
    elif not path:
        yield value
    elif type(value) is dict and path[0] in value:
        yield from at(value[path[0]], path[1:])


def _mirror(concept: Json) -> None:
    """Complete a concept, or each of a list."""
    if type(concept) is not dict:
        for one in concept if type(concept) is list else ():
            if type(one) is dict:
                _mirror(one)
        return
    said = concept.get("text")
    if not said:
        text = text_of(concept)
        if text is not None:
            concept["text"] = text
    elif type(said) is str:
        codings = concept.get("coding")
        if codings is None:
            concept["coding"] = [{"display": said}]
        elif type(codings) is list and codings:
            first = codings[0]
            if type(first) is dict and not first.get("display"):
                first["display"] = said


def _codings(concept: JsonObject) -> list[JsonObject]:
    codings = concept.get("coding")
    return [one for one in codings if type(one) is dict] if type(codings) is list else []


def _type_codings(identifier: JsonObject) -> list[JsonObject]:
    held = identifier.get("type")
    return _codings(held) if type(held) is dict else []
