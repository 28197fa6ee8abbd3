"""The results as tables: of text, which the terminal and the document render each in its way."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.results import MEGABYTE, Results
from bench.subjects import ROWS


@dataclass(frozen=True)
class Grid:
    """A table: headings, the number of leading columns that hold words rather than numbers, and rows of text."""

    title: str
    headings: tuple[str, ...]
    words: int
    rows: list[tuple[str, ...]] = field(default_factory=list)


_QUIET = 0.05


def quietness(results: Results) -> str:
    """What else the machine did, in a sentence; empty when no rows were measured."""
    if results.bystanders is None:
        return ""
    said = f"Other programs took {results.bystanders:.0%} of the processors while the rows were measured."
    return said if results.bystanders < _QUIET else f"**Provisional**: {said[0].lower()}{said[1:]}"


def grids(results: Results) -> Iterator[Grid]:
    """The tables of everything that was measured, in their order."""
    if verdicts := results.verdicts():
        grid = Grid("Goals", ("goal", "wanted", "measured", "", "by CPU"), 2)
        for verdict in verdicts:
            measured, mark = f"{verdict.value:.2f}{verdict.unit}", "met" if verdict.met else "**not met**"
            by_processor = "" if verdict.by_processor is None else f"{verdict.by_processor:.2f}{verdict.unit}"
            grid.rows.append((verdict.name, verdict.wanted, measured, mark, by_processor))
        yield grid
    if found := results.floors():
        headings = ("µs a request", "goal met at", "least", "made of", "left for the service", "measured")
        grid = Grid("What the goals leave", headings, 1)
        for floor in found:
            left = floor.allowed - floor.least
            numbers = (f"{floor.allowed:,.0f}", f"{floor.least:,.0f}", floor.made_of, f"{left:,.0f}")
            grid.rows.append((floor.what, *numbers, f"{floor.measured:,.0f}"))
        yield grid
    if results.cells:
        yield _cells(results)
    if results.start:
        yield Grid(
            "A new process",
            ("", "seconds"),
            1,
            [
                ("answers its first capability statement", f"{results.start.first_metadata:.2f}"),
                ("answers its first read", f"{results.start.first_read:.2f}"),
                ("importing the app, as -X importtime says", f"{results.start.imports:.2f}"),
            ],
        )
    if results.tenants:
        yield Grid(
            "More tenants",
            ("tenants", "reads/s", "p50 ms", "p95 ms", "MB"),
            0,
            [
                (
                    f"{step.tenants:,}",
                    f"{step.per_second:,.0f}",
                    f"{step.p50:.2f}",
                    f"{step.p95:.2f}",
                    f"{step.resident / MEGABYTE:.0f}",
                )
                for step in results.tenants
            ],
        )
    if results.connections:
        yield Grid(
            "More connections",
            ("what", "connections", "reads/s", "p50 ms", "p95 ms", "p99 ms"),
            1,
            [
                (
                    ROWS[step.subject].title,
                    str(step.connections),
                    f"{step.per_second:,.0f}",
                    f"{step.p50:.2f}",
                    f"{step.p95:.2f}",
                    f"{step.p99:.2f}",
                )
                for step in sorted(results.connections, key=lambda step: list(ROWS).index(step.subject))
            ],
        )


def _cells(results: Results) -> Grid:
    headings = ("row", "what", "connections", "requests/s", "p50 ms", "p95 ms", "p99 ms", "CPU µs/request", "MB")
    grid = Grid("One program at a time under load", headings, 2)
    before = ""
    for name, connections in sorted(results.cells, key=lambda key: (list(ROWS).index(key[0]), key[1])):
        cell = results.cells[name, connections]
        # Said once: its lines follow each other.
        words = ("", "") if name == before else (name, ROWS[name].title)
        numbers = (
            str(connections),
            f"{cell.per_second:,.0f}",
            f"{cell.p50:.2f}",
            f"{cell.p95:.2f}",
            f"{cell.p99:.2f}",
            f"{cell.cpu_per_request:,.0f}",
            f"{cell.resident[-1] / MEGABYTE:.0f}",
        )
        grid.rows.append((*words, *numbers))
        before = name
    return grid
