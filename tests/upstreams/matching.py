"""What the emulated server finds, and in which order."""

import random
from typing import Any

from tests.upstreams.behaviour import Behaviour

type Pairs = list[tuple[str, str]]
type Resources = list[dict[str, Any]]

_REFERENCES = {
    "patient": ("patient", "subject", "beneficiary"),
    "subject": ("subject", "patient"),
    "beneficiary": ("beneficiary",),
    "subscriber": ("subscriber",),
}


def selected(behaviour: Behaviour, resources: Resources, pairs: Pairs) -> Resources:
    """The resources for which every parameter holds that the server does not ignore."""
    return [each for each in resources if all(_holds(behaviour, each, name, value) for name, value in pairs)]


def ordered(behaviour: Behaviour, resource_type: str, found: Resources, pairs: Pairs) -> Resources:
    """In the order of `_sort` by a date or by birth date, else in the server's own."""
    sort = next(((name, value) for name, value in pairs if name.partition(":")[0] == "_sort"), None)
    if behaviour.sort and sort is not None:
        descending = sort[1].startswith("-") or sort[0].endswith(":desc")
        dated = sorted((each for each in found if _date(each)), key=_date, reverse=descending)
        return dated + [each for each in found if not _date(each)]
    if resource_type != "Encounter":
        return found
    if behaviour.order == "shuffled":
        return random.Random(7).sample(found, len(found))  # noqa: S311  # the same disorder each time
    newest_first = behaviour.order == "newest-first"
    return sorted(found, key=_date, reverse=newest_first)


def _date(resource: dict[str, Any]) -> str:
    return str(
        resource.get("period", {}).get("start") or resource.get("effectiveDateTime") or resource.get("birthDate") or ""
    )


def _holds(behaviour: Behaviour, resource: dict[str, Any], full_name: str, value: str) -> bool:
    name, _, modifier = full_name.partition(":")
    if name in behaviour.ignored or (modifier == "contains" and behaviour.contains == "ignored"):
        return True
    if name in _REFERENCES:
        wanted = value.rpartition("/")[2]
        return any(resource.get(key, {}).get("reference") == f"Patient/{wanted}" for key in _REFERENCES[name])
    if name in ("family", "given", "name"):
        words = [word.lower() for word in _words(resource, name)]
        return any(
            value.lower() in word if modifier == "contains" else word.startswith(value.lower()) for word in words
        )
    if name == "date":
        return _until(resource) >= value.removeprefix("ge")
    own = {"_id": [resource["id"]], "birthdate": [resource.get("birthDate")], "gender": [resource.get("gender")]}
    own["identifier"] = [
        spelled
        for each in resource.get("identifier", [])
        for spelled in (f"{each['system']}|{each['value']}", each["value"])[: 1 + behaviour.bare_identifiers]
    ]
    return name not in own or value in own[name]


def _until(resource: dict[str, Any]) -> str:
    """The end of what a resource is about; open periods have none."""
    period = resource.get("period")
    return str(period.get("end", "9999") if period else resource.get("effectiveDateTime", ""))


def _words(resource: dict[str, Any], name: str) -> list[str]:
    parts = ("family", "given") if name == "name" else (name,)
    found: list[str] = []
    for human_name in resource.get("name", []):
        for part in parts:
            value = human_name.get(part, [])
            found += value if isinstance(value, list) else [value]
    return found
