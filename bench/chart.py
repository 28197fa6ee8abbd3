"""Line charts as SVG: a few panels beside each other, the horizontal axis logarithmic, the vertical one from zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

_WIDTH, _HEIGHT = 340, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 46, 44
_COLOURS = ("#0b6bcb", "#c2410c", "#4d7c0f")
_GRID_LINES = 5
_STYLE = "font-family:system-ui,sans-serif;font-size:11px;fill:#222"


@dataclass(frozen=True)
class Line:
    """A named series of (x, y), x above zero."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """`limit` draws a dashed line at that height, named by `limit_name`."""

    title: str
    horizontal: str
    lines: Sequence[Line]
    limit: float | None = None
    limit_name: str = ""


def svg(panels: Sequence[Panel], description: str) -> str:
    """The panels as one SVG document, readable on light and dark pages alike."""
    width = _WIDTH * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" role="img">',
        f"<title>{escape(description)}</title>",
        f'<rect width="{width}" height="{_HEIGHT}" fill="#fff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate({number * _WIDTH},0)" style="{_STYLE}">', *_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel) -> list[str]:
    every = [point for line in panel.lines for point in line.points]
    highest = max([y for _, y in every] + ([panel.limit] if panel.limit else []))
    step = nice_step(highest / _GRID_LINES)
    top = step * (floor(highest / step) + 1)
    xs = sorted({x for x, _ in every})
    span = log10(xs[-1] / xs[0]) or 1.0

    def across(x: float) -> float:
        return _LEFT + log10(x / xs[0]) / span * (_WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        return _HEIGHT - _BOTTOM - y / top * (_HEIGHT - _TOP - _BOTTOM)

    right, floor_y = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [f'<text x="{_LEFT}" y="16" font-weight="600">{escape(panel.title)}</text>']
    for number in range(round(top / step) + 1):
        y = up(number * step)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number * step:,g}</text>')
    parts += [f'<text x="{across(x):.1f}" y="{floor_y + 16}" text-anchor="middle">{x:,g}</text>' for x in xs]
    centre = (_LEFT + right) / 2
    parts.append(f'<text x="{centre}" y="{floor_y + 34}" text-anchor="middle">{escape(panel.horizontal)}</text>')
    if panel.limit:
        y = up(panel.limit)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#b91c1c" stroke-dasharray="5 4"/>')
        parts.append(f'<text x="{right}" y="{y - 4:.1f}" text-anchor="end">{escape(panel.limit_name)}</text>')
    for number, line in enumerate(panel.lines):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line.points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>' for x, y in line.points]
        if line.name:
            place = _LEFT + number * (_WIDTH - _LEFT - _RIGHT) / len(panel.lines)
            parts.append(f'<rect x="{place:.0f}" y="25" width="10" height="10" fill="{colour}"/>')
            parts.append(f'<text x="{place + 14:.0f}" y="34">{escape(line.name)}</text>')
    return parts


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, … that is at least `least`."""
    magnitude = 10.0 ** floor(log10(least))
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= least)
