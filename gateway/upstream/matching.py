"""Search results checked by the gateway: against servers that ignore a parameter, and for those that cannot filter."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.upstream.folding import folded
from gateway.upstream.sorting import name_parts

_COMMAS = re.compile(r"(?<!\\),")
_ESCAPED = re.compile(r"\\([,|$\\])")
# A patient-scoped search parameter, and the elements of any release that may hold the reference it means.
_SCOPES = {
    "patient": ("patient", "subject", "beneficiary", "subscriber", "beneficiaryReference", "subscriberReference"),
    "subject": ("subject", "patient"),
    "beneficiary": ("beneficiary", "patient", "beneficiaryReference"),
    "subscriber": ("subscriber", "subscriberReference"),
}
NAMES = frozenset({"family", "given", "name"})

type Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The elements that may hold the reference which one parameter means, and the types and ids that it may be to."""

    elements: tuple[str, ...]
    wanted: frozenset[tuple[str, str]]
    _known: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)
    """Whether a literal reference is one: a search's results have few different ones."""

    def is_about(self, resource: dict[str, Any]) -> bool:
        for element in self.elements:
            value = resource.get(element)
            literal = value.get("reference") if type(value) is dict else None
            if type(literal) is str:
                wanted = self._known.get(literal)
                if wanted is None:
                    wanted = self._known[literal] = self._is_wanted(literal)
                if wanted:
                    return True
        return False

    def _is_wanted(self, literal: str) -> bool:
        found = _reference(literal, "")
        return any(_same(found, want) for want in self.wanted)


@dataclass(frozen=True, slots=True)
class PatientScope:
    """The search is about certain patients: `Observation?patient=1`, `subject=Patient/1`, `beneficiary=…`, `_id=…`.

    A lenient server answers a parameter that it does not know with everybody's resources, so every result is held
    against what was asked. Chained parameters and other modifiers than a type are beyond it.
    """

    asked: tuple[_Asked, ...]
    ids: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, parameters: Parameters) -> "PatientScope":
        asked, ids = [], []
        for full_name, value in parameters:
            if full_name == "_id":
                ids.append(frozenset(value.split(",")))
            elif is_scope(full_name):
                name, _, modifier = full_name.partition(":")
                only = "Patient" if modifier or name == "patient" else ""
                asked.append(_Asked(_SCOPES[name], frozenset(_reference(part, only) for part in value.split(","))))
        return cls(tuple(asked), tuple(ids))

    def __bool__(self) -> bool:
        return bool(self.asked or self.ids)

    def elements(self) -> tuple[str, ...]:
        """The elements that the check looks at, for `_elements`."""
        return tuple(dict.fromkeys(name for asked in self.asked for name in asked.elements))

    def holds(self, resource: dict[str, Any]) -> bool:
        """Whether a result is about what was asked."""
        # Plain loops: this looks at every entry of every answer.
        for ids in self.ids:
            if type(found := resource.get("id")) is not str or found not in ids:
                return False
        for asked in self.asked:  # noqa: SIM110  # likewise
            if not asked.is_about(resource):
                return False
        return True


def is_scope(full_name: str) -> bool:
    """Whether a parameter of this name, with its modifier, is one that `PatientScope` looks at."""
    name, _, modifier = full_name.partition(":")
    return full_name == "_id" or (name in _SCOPES and modifier in ("", "Patient"))


def _reference(value: str, default_type: str) -> tuple[str, str]:
    """Type and id of `1`, `Patient/1`, `https://server/Patient/1` or `Patient/1/_history/2`; the type may be empty."""
    value = value.strip()
    own_type, _, own_id = value.partition("/")
    if own_id and "/" not in own_id:
        return own_type, own_id  # `Patient/1`, as nearly all are
    parts = value.partition("/_history/")[0].rstrip("/").split("/")
    return (parts[-2], parts[-1]) if len(parts) > 1 else (default_type, parts[-1])


def _same(found: tuple[str, str], wanted: tuple[str, str]) -> bool:
    return found[1] == wanted[1] and (not wanted[0] or not found[0] or found[0] == wanted[0])


@dataclass(frozen=True, slots=True)
class NameFilter:
    """`family:contains=x` of a Patient search done here, without case and accents (search.html#string).

    `how` is the modifier: `contains`, `exact`, or empty for a beginning.
    """

    parameter: str
    how: str
    values: tuple[str, ...]

    @classmethod
    def of(cls, full_name: str, value: str) -> "NameFilter":
        name, _, how = full_name.partition(":")
        return cls(name, how, tuple(_ESCAPED.sub(r"\1", part) for part in _COMMAS.split(value)))

    def holds(self, resource: dict[str, Any]) -> bool:
        return any(self._matches(word, value) for word in name_parts(resource, self.parameter) for value in self.values)

    def _matches(self, word: str, value: str) -> bool:
        match self.how:
            case "exact":
                return word == value
            case "contains":
                return folded(value) in folded(word)
            case _:
                return folded(word).startswith(folded(value))
