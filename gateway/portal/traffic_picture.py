"""The last hour as bars, in attributes of SVG only: the page's policy lets no inline style through."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log10

from gateway.exchange import HOPS
from gateway.traffic import Minute

WIDTH, HEIGHT = 600, 120
_STEP, _BAR = 10, 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle in a picture of WIDTH by HEIGHT; `kind` is what it stands for and the name of its colour."""

    x: int
    y: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Picture:
    """`top` is the value at the upper edge."""

    bars: tuple[Bar, ...]
    top: int


def requests(minutes: list[Minute]) -> Picture:
    """Requests a minute, those that failed at the foot."""
    return _stacked(
        minutes,
        ("failed", "answered"),
        lambda one, kind: one.failures if kind == "failed" else one.requests - one.failures,
    )


def hops(minutes: list[Minute]) -> Picture:
    """Mean milliseconds of each hop, minute by minute."""
    return _stacked(minutes, HOPS, lambda one, hop: one.mean_milliseconds(hop))


def _stacked(minutes: list[Minute], kinds: tuple[str, ...], value: Callable[[Minute, str], float]) -> Picture:
    top = _rounded(max(sum(value(minute, kind) for kind in kinds) for minute in minutes))
    bars: list[Bar] = []
    for place, minute in enumerate(minutes):
        foot = float(HEIGHT)
        for kind in kinds:
            height = round(value(minute, kind) / top * HEIGHT, 2)
            if height > 0:
                foot = round(foot - height, 2)
                bars.append(Bar(place * _STEP, foot, height, kind))
    return Picture(tuple(bars), top)


def _rounded(largest: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, … that is not below `largest`."""
    if largest <= 1:
        return 1
    power = 10 ** int(log10(largest))
    return next(int(step * power) for step in (1, 2, 5, 10) if ceil(largest) <= step * power)
