"""FHIR dates of any precision as half-open intervals of UTC time, and their comparison prefixes.

A date without a time zone is read as UTC. http://hl7.org/fhir/R4/search.html#date
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_END = datetime.max.replace(tzinfo=UTC)
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)(?=\d)")
_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


class Interval(NamedTuple):
    """From `start` (included) to `end` (excluded)."""

    start: datetime
    end: datetime


def interval(text: str) -> Interval:
    """Return the time that a FHIR date or dateTime covers; ValueError when it is none."""
    parts = _DATE.fullmatch(text)
    if parts is None:
        raise ValueError("not a FHIR date")
    if parts["hour"]:
        start = datetime.fromisoformat(text)
        start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
        return Interval(start, start + timedelta(seconds=1 if parts["second"] else 60))
    start = datetime(int(parts["year"]), int(parts["month"] or 1), int(parts["day"] or 1), tzinfo=UTC)
    if parts["day"]:
        return Interval(start, start + timedelta(days=1))
    if parts["month"]:
        return Interval(start, (start + timedelta(days=31)).replace(day=1))
    return Interval(start, start.replace(year=start.year + 1))


def element_interval(value: Any) -> Interval:  # noqa: ANN401 - an element of a resource: date, dateTime, instant or Period
    """Return the time that a date element or a Period covers; an open side of a Period has no limit."""
    if isinstance(value, str):
        return interval(value)
    start = interval(value["start"]).start if "start" in value else _BEGINNING
    end = interval(value["end"]).end if "end" in value else _END
    return Interval(start, end)


_COMPARISONS: Mapping[str, Callable[[Interval, Interval], bool]] = {
    "eq": lambda held, asked: asked.start <= held.start and held.end <= asked.end,
    "ne": lambda held, asked: not (asked.start <= held.start and held.end <= asked.end),
    "gt": lambda held, asked: held.end > asked.end,
    "lt": lambda held, asked: held.start < asked.start,
    "ge": lambda held, asked: held.end > asked.start,
    "le": lambda held, asked: held.start < asked.end,
    "sa": lambda held, asked: held.start >= asked.end,
    "eb": lambda held, asked: held.end <= asked.start,
}


def date_test(text: str) -> Callable[[Any], bool]:
    """Return the test of a date search value with its optional prefix; ValueError when it is malformed."""
    prefix = _PREFIX.match(text)
    compare = _COMPARISONS[prefix[0] if prefix else "eq"]
    asked = interval(text[2:] if prefix else text)
    return lambda value: compare(element_interval(value), asked)
