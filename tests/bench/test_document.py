from xml.etree import ElementTree as ET

import pytest

from bench.chart import nice_step
from bench.cold_start import ColdStart
from bench.document import BEGIN, DOCUMENT, END, markdown, picture, with_figures
from bench.growth import ConnectionStep, TenantStep
from bench.report import Grid, grids
from bench.results import Results


def test_figures_replace_what_stood_between_the_marks() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_figures(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"


def test_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="figures"):
        with_figures("a text", "new")


def test_document_has_its_marks() -> None:
    assert with_figures(DOCUMENT.read_text(), "new").count("new\n") == 1


def test_markdown_aligns_numbers_to_the_right() -> None:
    grid = Grid("", ("what", "ms"), 1, [("read", "1.50")])
    assert markdown(grid) == "| what | ms |\n| --- | --: |\n| read | 1.50 |"


def test_memory_goal_needs_ten_thousand_tenants() -> None:
    few = Results(tenants=[TenantStep(1000, 1, 1, 1, 90_000_000)])
    many = Results(tenants=[TenantStep(10_000, 1, 1, 1, 170_000_000)])
    assert few.verdicts() == []
    assert [verdict.met for verdict in many.verdicts()] == [False]


def test_start_is_judged_by_its_first_read() -> None:
    results = Results(start=ColdStart(first_metadata=1.0, first_read=1.6, imports=0.7))
    assert [verdict.met for verdict in results.verdicts()] == [False]
    assert [grid.title for grid in grids(results)] == ["Goals", "A new process"]


def test_picture_is_well_formed_and_shows_every_point() -> None:
    tenants = [TenantStep(10, 1, 1, 2, 80_000_000), TenantStep(10_000, 1, 2, 4, 120_000_000)]
    connections = [ConnectionStep(name, n, n * 10, 1, 1, 1) for name in ("read", "node_read") for n in (1, 200)]
    root = ET.fromstring(picture(Results(tenants=tenants, connections=connections)))  # noqa: S314  # our own
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == 2 + 4 + 4


@pytest.mark.parametrize(("least", "step"), [(0.7, 1), (1, 1), (1.1, 2), (30, 50), (51, 100), (0.03, 0.05)])
def test_steps_of_an_axis_are_round(least: float, step: float) -> None:
    assert nice_step(least) == pytest.approx(step)
