"""What the service has to reach, from the numbers of one run."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from types import MappingProxyType

from bench.measure import Cell, Cells

CROWD = 64
"""Connections at which rates are compared."""
LEAST_OF_NODE = 1.0
"""Reads, as a share of the Node peer's."""
LEAST_OF_NOOP = 0.8
"""Tokens, as a share of an empty function's answers."""
MOST_OF_PASS_THROUGH = 3
"""Cost of a searchset, in pass-throughs."""


class Sense(StrEnum):
    """How a number has to stand to the limit."""

    AT_LEAST = "≥"
    AT_MOST = "≤"
    BELOW = "<"


@dataclass(frozen=True)
class Limit:
    """What a number of that name has to be."""

    name: str
    sense: Sense
    value: float
    unit: str


@dataclass(frozen=True)
class Goal:
    """A limit for the number that `value` makes of the rows that it `needs`."""

    limit: Limit
    needs: tuple[tuple[str, int], ...]
    value: Callable[[Cells], float]
    by_processor: Callable[[Cells], float] | None = None
    """The same by processor time of the programs, which holds on a busy machine, too; it decides nothing."""


@dataclass(frozen=True)
class Verdict:
    """A limit in words, and what was measured."""

    name: str
    wanted: str
    value: float
    unit: str
    met: bool
    by_processor: float | None = None


_MET: Mapping[Sense, Callable[[float, float], bool]] = MappingProxyType(
    {Sense.AT_LEAST: operator.ge, Sense.AT_MOST: operator.le, Sense.BELOW: operator.lt}
)
START = Limit("a new process answers its first read", Sense.AT_MOST, 1.5, " s")
MEMORY = Limit("memory with 10,000 tenants", Sense.BELOW, 160, " MB")


def judge(limit: Limit, value: float, by_processor: float | None = None) -> Verdict:
    met = _MET[limit.sense](value, limit.value)
    return Verdict(limit.name, f"{limit.sense} {limit.value:g}{limit.unit}", value, limit.unit, met, by_processor)


def judge_cells(cells: Cells) -> list[Verdict]:
    """The verdicts on every goal whose rows were measured."""
    return [
        judge(goal.limit, goal.value(cells), goal.by_processor(cells) if goal.by_processor else None)
        for goal in GOALS
        if all(need in cells for need in goal.needs)
    ]


def rate_ratio(one: Cell, other: Cell) -> float:
    """How many times the rate of `other`: the median over the rounds, each of which ran the two side by side."""
    pairs = zip(one.samples, other.samples, strict=True)
    return float(median(first.per_second / second.per_second for first, second in pairs))


def tail(cell: Cell) -> float:
    """The 99th percentile as a multiple of the median latency."""
    return median(sample.p99 / sample.p50 for sample in cell.samples)


def added_latency(through: Cell, parts: Sequence[Cell]) -> float:
    """Milliseconds of the median latency that are not explained by `parts`; the median over the rounds."""
    rounds = zip(through.samples, *(part.samples for part in parts), strict=True)
    return float(median(whole.p50 - sum(part.p50 for part in rest) for whole, *rest in rounds))


def processor_ratio(one: Cell, other: Cell) -> float:
    """How many times as much processor time as `other` a request takes; the median over the rounds."""
    return float(median(first / second for first, second in zip(one.cpu, other.cpu, strict=True)))


def cost_ratio(one: Cell, other: Cell) -> float:
    """How many times as much `one` costs: by rate or by processor time of its program, whichever is worse."""
    return max(rate_ratio(other, one), processor_ratio(one, other))


def _ratio(name: str, one: str, other: str, least: float) -> Goal:
    needs = ((one, CROWD), (other, CROWD))
    limit = Limit(name, Sense.AT_LEAST, least, " times")
    return Goal(
        limit,
        needs,
        lambda cells: rate_ratio(cells[needs[0]], cells[needs[1]]),
        lambda cells: processor_ratio(cells[needs[1]], cells[needs[0]]),
    )


GOALS = (
    _ratio("read, token reused, beside the Node peer", "read", "node_read", LEAST_OF_NODE),
    _ratio("read, fresh token each, beside the Node peer", "read_fresh", "node_read_fresh", LEAST_OF_NODE),
    _ratio("token beside an empty function", "token", "noop", LEAST_OF_NOOP),
    Goal(
        Limit("token: p99 over p50", Sense.BELOW, 3, " times"),
        (("token", CROWD),),
        lambda cells: tail(cells["token", CROWD]),
    ),
    Goal(
        Limit("read at 1 connection: p50 beyond empty function and upstream", Sense.BELOW, 1, " ms"),
        (("read", 1), ("noop", 1), ("direct", 1)),
        lambda cells: added_latency(cells["read", 1], [cells["noop", 1], cells["direct", 1]]),
    ),
    Goal(
        Limit("searchset of 200: cost beside a pass-through function", Sense.AT_MOST, MOST_OF_PASS_THROUGH, " times"),
        (("search", CROWD), ("search_pass_through", CROWD)),
        lambda cells: cost_ratio(cells["search", CROWD], cells["search_pass_through", CROWD]),
        lambda cells: processor_ratio(cells["search", CROWD], cells["search_pass_through", CROWD]),
    ),
    Goal(
        Limit("the app's batch of 7 at 1 connection, upstream after 100 ms: p50", Sense.AT_MOST, 130, " ms"),
        (("batch_slow", 1),),
        lambda cells: cells["batch_slow", 1].p50,
    ),
)
