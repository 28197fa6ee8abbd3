"""Finds functions that can never answer, because one that sorts before them takes their requests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from local.worker.routes import HttpFunction, in_host_order
from local.worker.templates import Literal, Parameter, Segment, parse


@dataclass(frozen=True, slots=True)
class Shadow:
    """``function`` never sees these methods: ``by`` sorts before it and matches all its paths."""

    function: str
    by: str
    methods: frozenset[str]


def shadowed(functions: Iterable[HttpFunction]) -> list[Shadow]:
    """Return every pair of functions of which the one hides the other, in the host's order.

    A route is hidden when one earlier route takes all its paths. Two routes that only overlap are not
    reported, nor one that several earlier routes hide together.
    """
    ordered = [(function, parse(function.route)) for function in in_host_order(functions)]
    return [
        Shadow(later.name, earlier.name, common)
        for index, (later, hidden) in enumerate(ordered)
        for earlier, hiding in ordered[:index]
        if (common := earlier.methods & later.methods) and _covers(hiding, hidden)
    ]


def _covers(hiding: tuple[Segment, ...], hidden: tuple[Segment, ...]) -> bool:
    return all(any(_shape_covers(wide, narrow) for wide in _shapes(hiding)) for narrow in _shapes(hidden))


def _shapes(segments: tuple[Segment, ...]) -> Iterator[tuple[Segment, ...]]:
    """Yield the template with its optional parameters left out one by one, from the end."""
    shape = segments
    yield shape
    while shape and isinstance(shape[-1], Parameter) and shape[-1].optional:
        shape = shape[:-1]
        yield shape


def _shape_covers(wide: tuple[Segment, ...], narrow: tuple[Segment, ...]) -> bool:
    wide_fixed, wide_tail = _split(wide)
    narrow_fixed, narrow_tail = _split(narrow)
    if wide_tail is None:
        lengths_fit = narrow_tail is None and len(wide_fixed) == len(narrow_fixed)
    else:
        same_tail = narrow_tail is not None and set(wide_tail.constraints) <= set(narrow_tail.constraints)
        lengths_fit = len(wide_fixed) <= len(narrow_fixed) and (same_tail or not wide_tail.constraints)
    return lengths_fit and all(map(_segment_covers, wide_fixed, narrow_fixed))


def _split(segments: tuple[Segment, ...]) -> tuple[tuple[Segment, ...], Parameter | None]:
    last = segments[-1] if segments else None
    if isinstance(last, Parameter) and last.catch_all:
        return segments[:-1], last
    return segments, None


def _segment_covers(wide: Segment, narrow: Segment) -> bool:
    if isinstance(wide, Literal):
        return isinstance(narrow, Literal) and wide.text.lower() == narrow.text.lower()
    if isinstance(narrow, Literal):
        return all(check(narrow.text) for check in wide.checks())
    return set(wide.constraints) <= set(narrow.constraints)
