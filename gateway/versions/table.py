"""The notation of the mapping tables: one row per concept, one cell per FHIR release.

    DSTU2                | STU3                  | R4                            | how
    dateRecorded date    | assertedDate dateTime | recordedDate dateTime         |
    notes string         | note* Annotation      | note* Annotation              | join

A cell is `name types`. Behind the name: `*` repeats, `!` is required, `?!` is a modifier, or an element without
which its neighbours would read wrongly; one that cannot be carried over takes what surrounds it along. `name[x]`
has one type of several (`dateTime/Period`). `Reference(A/B)` may point to A or B only. `=` repeats the cell to the
left, `-` says that the release has no such element. `how` holds `first` or `join` where a list meets a single
value, `integer>string` where a type has to give way to another, and the names of code tables and functions of the
module.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.versions.version import FhirVersion

type Json = Any
type JsonObject = dict[str, Any]
type Convert = Callable[[Any], Any]
type Step = Callable[[JsonObject, JsonObject], None]

_EVERY_ELEMENT = ("id string | = | =", "extension* Extension | = | =")
_EVERY_RESOURCE = """
meta Meta | = | =
language code | = | =
text Narrative | = | =
"""
COLUMNS = (FhirVersion.DSTU2, FhirVersion.STU3, FhirVersion.R4)
_CELL = re.compile(r"(?P<name>\w+)(?P<choice>\[x\])?(?P<many>\*)?(?P<required>!)?(?P<modifier>\?!)? (?P<types>\S+)")
_TYPE = re.compile(r"(?P<name>[\w.]+)(\((?P<targets>[^)]*)\))?")


class NotExpressibleError(Exception):
    """Something in the source has no safe counterpart; `reason` is a fixed word, never data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rule(Protocol):
    """How one value becomes another on one path: a code table, or a function wrapped by `rule`."""

    def on_path(self, source: FhirVersion, target: FhirVersion) -> Convert:
        """Return the conversion of one value; it yields None where there is nothing to show."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One element in one release."""

    name: str
    choice: bool
    many: bool
    required: bool
    modifier: bool
    types: Mapping[str, tuple[str, ...]]
    """Type name to the resource types that it may point to (empty: any)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One concept across the releases."""

    cells: Mapping[FhirVersion, Cell | None]
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of one type, with the rules that its `how` column names and the steps beside the rows."""

    name: str
    rows: tuple[Row, ...]
    is_resource: bool
    rules: Mapping[str, Rule] = field(default_factory=dict)
    steps: Mapping[tuple[FhirVersion, FhirVersion], tuple[Step, ...]] = field(default_factory=dict)
    defaults: Mapping[FhirVersion, tuple[Step, ...]] = field(default_factory=dict)


def table(
    name: str,
    text: str,
    *,
    rules: Mapping[str, Rule] | None = None,
    steps: Mapping[tuple[FhirVersion, FhirVersion], tuple[Step, ...]] | None = None,
    defaults: Mapping[FhirVersion, tuple[Step, ...]] | None = None,
) -> Table:
    """Read a table from its text; `ValueError` names a line that does not follow the notation.

    `steps` run after the rows of one path with (source object, result), `defaults` after them for every path that
    ends in that release; both may write into the result and may raise `NotExpressibleError`.
    """
    lines = (*_EVERY_ELEMENT, *map(str.strip, text.strip().splitlines()))
    rows = tuple(_row(line) for line in lines if line and line[0] != "#")
    return Table(name, rows, _EVERY_RESOURCE in text, rules or {}, steps or {}, defaults or {})


def resource(name: str, text: str, **rest: Json) -> Table:
    """Read the table of a resource type, with the elements that every resource has; otherwise like `table`."""
    return table(name, _EVERY_RESOURCE + text, **rest)


def _row(line: str) -> Row:
    columns = [column.strip() for column in line.split("|")]
    if not len(COLUMNS) <= len(columns) <= len(COLUMNS) + 1:
        raise ValueError(f"three cells and perhaps a how: {line}")
    cells: dict[FhirVersion, Cell | None] = {}
    left: Cell | None = None
    for version, column in zip(COLUMNS, columns, strict=False):
        left = cells[version] = left if column == "=" else _cell(column)
    return Row(cells, tuple(columns[3].split()) if len(columns) > len(COLUMNS) else ())


def _cell(text: str) -> Cell | None:
    if text == "-":
        return None
    match = _CELL.fullmatch(re.sub(r"\s+", " ", text))
    if match is None:
        raise ValueError(f"not a cell: {text}")
    types = {
        one["name"]: tuple((one["targets"] or "").split("/")) if one["targets"] else ()
        for one in _TYPE.finditer(match["types"])
    }
    return Cell(
        name=match["name"],
        choice=bool(match["choice"]),
        many=bool(match["many"]),
        required=bool(match["required"]),
        modifier=bool(match["modifier"]),
        types=types,
    )
