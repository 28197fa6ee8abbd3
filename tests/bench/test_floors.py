import pytest

from bench.floors import Steps, floors, measure_steps
from bench.load import Sample
from bench.measure import Cell, Cells
from bench.report import grids
from bench.results import Results

STEPS = Steps(verify=80, parse=1200, write=200)


def cells(**rates: float) -> Cells:
    """Rows at 64 connections, by their requests a second."""
    return {
        (name, 64): Cell(name, 64, [Sample(int(rate * 10), 10.0, 1, 1, 1)], [1.0], [1]) for name, rate in rates.items()
    }


def test_a_token_may_take_a_quarter_more_than_an_empty_function() -> None:
    (token,) = floors(cells(noop=10_000, same_size=8_000, token=5_000), STEPS)
    assert (token.allowed, token.least, token.measured) == pytest.approx((125, 125, 200))


def test_a_read_has_the_time_that_the_peer_takes() -> None:
    rates = {
        "node_read": 4_000,
        "node_read_fresh": 4_000,
        "read_pass_through": 5_000,
        "read": 2_000,
        "read_fresh": 1_000,
    }
    reused, fresh = floors(cells(**rates), STEPS)
    assert (reused.allowed, reused.least, reused.measured) == pytest.approx((250, 200, 500))
    assert (fresh.allowed, fresh.least, fresh.measured) == pytest.approx((250, 280, 1000))


def test_a_searchset_has_three_times_a_pass_through() -> None:
    (search,) = floors(cells(search=200, search_pass_through=2_000), STEPS)
    assert (search.allowed, search.least, search.measured) == pytest.approx((1500, 1900, 5000))


def test_rows_that_were_not_measured_have_no_floor() -> None:
    assert floors(cells(token=5_000, search=200, read=2_000), STEPS) == []


def test_the_table_says_what_is_left() -> None:
    results = Results(cells=cells(search=200, search_pass_through=2_000), steps=STEPS)
    table = next(grid for grid in grids(results) if grid.title == "What the goals leave")
    assert table.rows == [
        ("searchset of 200", "1,500", "1,900", "a pass-through, reading the JSON and writing it", "-400", "5,000")
    ]


def test_every_step_takes_time() -> None:
    steps = measure_steps()
    assert min(steps.verify, steps.parse, steps.write) > 1
