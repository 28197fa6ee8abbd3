"""docs/performance.md: its figures and its picture are written here, its words by hand."""

import os
import platform
from datetime import UTC, datetime

from bench.chart import Line, Panel, svg
from bench.report import Grid, grids, quietness
from bench.results import MEGABYTE, Results
from local.places import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "performance.md"
PICTURE = REPOSITORY / "docs" / "images" / "performance.svg"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_MEMORY_GOAL = 160


def write_document(results: Results) -> None:
    """Replace the figures between BEGIN and END, and the picture, by these. Raises ValueError without the marks."""
    DOCUMENT.write_text(with_figures(DOCUMENT.read_text(), figures(results)))
    PICTURE.write_text(picture(results))


def figures(results: Results) -> str:
    """All tables in Markdown, under the day and the machine of the measurement."""
    where = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    parts = [f"Measured on {datetime.now(UTC):%Y-%m-%d}: {where}. {quietness(results)}".rstrip()]
    parts += [f"### {grid.title}\n\n{markdown(grid)}" for grid in grids(results)]
    return "\n\n".join(parts)


def markdown(grid: Grid) -> str:
    dashes = ("---" if number < grid.words else "--:" for number in range(len(grid.headings)))
    return "\n".join("| " + " | ".join(row) + " |" for row in (grid.headings, tuple(dashes), *grid.rows))


def with_figures(text: str, new: str) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} and {END}")
    return f"{before}{begin}\n{new}\n{end}{after}"


def picture(results: Results) -> str:
    """Memory and latency over tenants, rates over connections."""
    tenants, connections = results.tenants, results.connections
    memory = Line("", [(step.tenants, step.resident / MEGABYTE) for step in tenants])
    latency = [
        Line("p50", [(step.tenants, step.p50) for step in tenants]),
        Line("p95", [(step.tenants, step.p95) for step in tenants]),
    ]
    names = {"read": "this gateway", "node_read": "Node peer"}
    rates = [
        Line(title, [(step.connections, step.per_second) for step in connections if step.subject == name])
        for name, title in names.items()
    ]
    panels = [
        Panel("Memory, MB", "tenants", [memory], _MEMORY_GOAL, "goal"),
        Panel("A read at 16 connections, ms", "tenants", latency),
        Panel("Reads/s, token reused", "connections", rates),
    ]
    return svg(panels, "Memory and latency as tenants are added, reads per second as connections are added")
