"""How the elements that the app reads are written in JSON in each version: list, object, text or number.

Older and newer releases differ in just that (`name.family`, `clinicalStatus`, `requester`), and the app reads a list
where a text should be as nothing at all. No library for Python 3.13 models DSTU2, so the table covers all three.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.conformance.paths import Resource
from gateway.versions import FhirVersion

_CONCEPT = {"": "object", ".coding": "list", ".coding.code": "text", ".coding.display": "text", ".text": "text"}
_PERIOD = {"": "object", ".start": "text", ".end": "text"}
_REFERENCE = {"": "object", ".reference": "text", ".display": "text"}
_QUANTITY = {"": "object", ".value": "number", ".unit": "text"}

type Shapes = Mapping[str, str]


def _at(element: str, parts: Shapes, *, many: bool = False) -> dict[str, str]:
    shapes = {f"{element}{part}": shape for part, shape in parts.items()}
    return shapes | {element: "list"} if many else shapes


def _all(shape: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), shape)


_PATIENT = {
    **_all("list", "identifier name name.given name.prefix"),
    **_all("text", "name.use gender birthDate identifier.value identifier.system"),
    **_at("identifier.type", _CONCEPT),
}
_OBSERVATION = {
    **_all("text", "status effectiveDateTime"),
    **_at("code", _CONCEPT),
    **_at("effectivePeriod", _PERIOD),
    **_at("valueQuantity", _QUANTITY),
    "component": "list",
    **_at("component.code", _CONCEPT),
    **_at("component.valueQuantity", _QUANTITY),
}
_CONDITION = {**_at("code", _CONCEPT), **_at("severity", _CONCEPT)}
_ENCOUNTER = {
    "status": "text",
    **_at("type", _CONCEPT, many=True),
    **_at("period", _PERIOD),
    "location": "list",
    **_at("location.location", _REFERENCE),
}
_REACTION = {
    "reaction": "list",
    **_at("reaction.substance", _CONCEPT),
    **_at("reaction.manifestation", _CONCEPT, many=True),
    "text.div": "text",
}
_NOTES = {"note": "list", "note.text": "text"}
_MEDICATION = {
    **_at("medicationCodeableConcept", _CONCEPT),
    **_at("medicationReference", _REFERENCE),
    "dosageInstruction": "list",
    "dosageInstruction.text": "text",
    "text.div": "text",
}

SHAPES: Mapping[FhirVersion, Mapping[str, Shapes]] = {
    FhirVersion.DSTU2: {
        "patient": {**_PATIENT, "name.family": "list", **_at("careProvider", _REFERENCE, many=True)},
        "observation": {**_OBSERVATION, **_at("category", _CONCEPT)},
        "condition": {**_CONDITION, "dateRecorded": "text"},
        "encounter": {**_ENCOUNTER, "class": "text"},
        "allergy": {
            **_at("substance", _CONCEPT),
            **_all("text", "status recordedDate note.text"),
            "note": "object",
            **_REACTION,
        },
        "medication": {**_MEDICATION, **_all("text", "dateWritten dateEnded"), **_at("prescriber", _REFERENCE)},
        "coverage": {**_at("issuer", _REFERENCE), "plan": "text", **_at("period", _PERIOD)},
    },
    FhirVersion.STU3: {
        "patient": {**_PATIENT, "name.family": "text", **_at("generalPractitioner", _REFERENCE, many=True)},
        "observation": {**_OBSERVATION, **_at("category", _CONCEPT, many=True)},
        "condition": {**_CONDITION, **_all("text", "assertedDate clinicalStatus verificationStatus")},
        "encounter": _ENCOUNTER,
        "allergy": {
            **_at("code", _CONCEPT),
            **_all("text", "clinicalStatus verificationStatus assertedDate"),
            **_NOTES,
            **_REACTION,
        },
        "medication": {
            **_MEDICATION,
            "authoredOn": "text",
            "requester": "object",
            **_at("requester.agent", _REFERENCE),
        },
        "coverage": {
            **_all("text", "subscriberId grouping.group grouping.groupDisplay grouping.plan grouping.planDisplay"),
            "grouping": "object",
            **_at("period", _PERIOD),
        },
    },
    FhirVersion.R4: {
        "patient": {**_PATIENT, "name.family": "text", **_at("generalPractitioner", _REFERENCE, many=True)},
        "observation": {**_OBSERVATION, **_at("category", _CONCEPT, many=True)},
        "condition": {
            **_CONDITION,
            "recordedDate": "text",
            **_at("clinicalStatus", _CONCEPT),
            **_at("verificationStatus", _CONCEPT),
        },
        "encounter": {**_ENCOUNTER, "class": "object"},
        "allergy": {
            **_at("code", _CONCEPT),
            **_at("clinicalStatus", _CONCEPT),
            **_at("verificationStatus", _CONCEPT),
            "recordedDate": "text",
            **_NOTES,
            **_REACTION,
        },
        "medication": {**_MEDICATION, "authoredOn": "text", **_at("requester", _REFERENCE)},
        "coverage": {
            "subscriberId": "text",
            "class": "list",
            **_at("class.type", _CONCEPT),
            **_all("text", "class.value class.name"),
            **_at("period", _PERIOD),
        },
    },
}


def wrong_shapes(resources: list[Resource], shapes: Shapes) -> dict[str, int]:
    """The elements of another shape than the release's, with the number of resources in which each is wrong."""
    found: dict[str, int] = {}
    for resource in resources:
        for path in dict.fromkeys(_wrong(resource, shapes)):
            found[path] = found.get(path, 0) + 1
    return found


def _wrong(resource: Resource, shapes: Shapes) -> Iterator[str]:
    for path, shape in shapes.items():
        *parents, name = path.split(".")
        for parent in _objects(resource, parents):
            value = parent.get(name)
            if value is not None and not _is(value, shape, of_texts=path in _LISTS_OF_TEXTS):
                yield path


_LISTS_OF_TEXTS = frozenset({"name.given", "name.prefix"})


def _is(value: object, shape: str, *, of_texts: bool) -> bool:
    match shape:
        case "list":
            return isinstance(value, list) and all(isinstance(item, str) or not of_texts for item in value)
        case "object":
            return isinstance(value, dict)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _objects(node: Any, path: list[str]) -> Iterator[dict[str, Any]]:  # noqa: ANN401  # JSON from a stranger
    if isinstance(node, list):
        for item in node:
            yield from _objects(item, path)
    elif isinstance(node, dict):
        if not path:
            yield node
        else:
            yield from _objects(node.get(path[0]), path[1:])
