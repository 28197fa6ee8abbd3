"""Sorting in the gateway, for servers that cannot."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from gateway.upstream.folding import folded

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?")

# Elements by type and search parameter, of all three releases together: a resource has those of its own release only.
_EVENT = "effectiveDateTime effectivePeriod effectiveInstant"
_ELEMENTS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("Observation", "date"): _EVENT,
        ("Encounter", "date"): "period",
        ("Condition", "date-recorded"): "dateRecorded",
        ("Condition", "asserted-date"): "assertedDate",
        ("Condition", "recorded-date"): "recordedDate",
        ("Condition", "onset"): "onsetDateTime onsetPeriod",
        ("Condition", "onset-date"): "onsetDateTime onsetPeriod",
        ("AllergyIntolerance", "date"): "recordedDate assertedDate",
        ("AllergyIntolerance", "last-date"): "lastOccurrence lastOccurence",  # DSTU2 spells it so
        ("MedicationOrder", "datewritten"): "dateWritten",
        ("MedicationRequest", "authoredon"): "authoredOn",
        ("MedicationStatement", "effectivedate"): _EVENT,
        ("MedicationStatement", "effective"): _EVENT,
        ("Patient", "birthdate"): "birthDate",
    }
)


@dataclass(frozen=True, slots=True)
class SortKey:
    parameter: str
    descending: bool


def sort_keys(name: str, value: str) -> list[SortKey]:
    """The keys of one `_sort` parameter, in the syntax of any release (`_sort:desc=date`, `_sort=-date,_id`)."""
    descending = name.partition(":")[2] == "desc"
    return [
        SortKey(part.removeprefix("-"), descending or part.startswith("-"))
        for part in value.split(",")
        if part.strip("-")
    ]


def can_sort(resource_type: str, key: SortKey) -> bool:
    """Whether the gateway knows the element behind a sort parameter."""
    common = key.parameter in ("_id", "_lastUpdated")
    names = resource_type == "Patient" and key.parameter in ("family", "given", "name")
    return common or names or (resource_type, key.parameter) in _ELEMENTS


def sort_entries(entries: list[dict[str, Any]], resource_type: str, keys: list[SortKey]) -> None:
    """Sort bundle entries in place by keys for which `can_sort` holds: stable; what lacks the element comes last in
    either direction (search.html#sort leaves that open).
    """
    for key in reversed(keys):
        valued = [(sort_value(entry["resource"], resource_type, key), entry) for entry in entries]
        present = [(value, entry) for value, entry in valued if value is not None]
        present.sort(key=lambda pair: pair[0], reverse=key.descending)
        entries[:] = [entry for _, entry in present] + [entry for value, entry in valued if value is None]


def sort_value(resource: dict[str, Any], resource_type: str, key: SortKey) -> str | None:
    """What a resource is sorted by: of several values the first of the wanted order; a period counts by its start."""
    values = sorted(_values(resource, resource_type, key.parameter))
    if not values:
        return None
    return values[-1] if key.descending else values[0]


def instant(value: object) -> str | None:
    """A FHIR date, dateTime or instant as the UTC instant of its beginning, in a form that sorts; None when it is none.

    A time without zone is taken for UTC.
    """
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    # 60 is a leap second; FHIR allows it, datetime does not.
    text = (
        f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{min(int(second or 0), 59):02}"
        f".{(fraction or '0')[:6].ljust(6, '0')}{(zone or 'Z').replace('Z', '+00:00')}"
    )
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        return None


def _values(resource: dict[str, Any], resource_type: str, parameter: str) -> Iterator[str]:
    if parameter == "_id":
        yield str(resource.get("id", ""))
        return
    if parameter in ("family", "given", "name"):
        yield from (folded(word) for word in name_parts(resource, parameter))
        return
    if parameter == "_lastUpdated":
        meta = resource.get("meta")
        elements = [meta.get("lastUpdated") if isinstance(meta, dict) else None]
    else:
        elements = [resource.get(name) for name in _ELEMENTS[resource_type, parameter].split()]
    for element in elements:
        if isinstance(element, dict):
            element = element.get("start") or element.get("end")  # noqa: PLW2901  # a Period becomes its bound
        moment = instant(element)
        if moment is not None:
            yield moment


def name_parts(resource: dict[str, Any], parameter: str) -> Iterator[str]:
    """The words that Patient's `family`, `given` or `name` looks at; DSTU2 has a list of family names."""
    wanted = {"family": ("family",), "given": ("given",)}.get(
        parameter, ("family", "given", "prefix", "suffix", "text")
    )
    names = resource.get("name")
    for name in names if isinstance(names, list) else []:
        for part in wanted if isinstance(name, dict) else ():
            value = name.get(part)
            yield from (word for word in (value if isinstance(value, list) else [value]) if isinstance(word, str))
