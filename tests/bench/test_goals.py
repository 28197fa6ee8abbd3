import pytest

from bench.goals import GOALS, MEMORY, START, Goal, Verdict, judge, judge_cells
from bench.load import Sample
from bench.measure import Cell, Cells


def cell(name: str, connections: int, *rounds: tuple[float, float, float, float]) -> Cells:
    """A row of rounds of (requests/s, p50, p99, CPU µs)."""
    samples = [Sample(int(rate * 2), 2.0, p50, p50, p99) for rate, p50, p99, _ in rounds]
    made = Cell(name, connections, samples, [cpu for *_, cpu in rounds], [1] * len(rounds))
    return {(name, connections): made}


def only(verdicts: list[Verdict]) -> Verdict:
    assert len(verdicts) == 1
    return verdicts[0]


def test_read_must_be_as_fast_as_the_peer() -> None:
    peer = cell("node_read", 64, (1000, 1, 2, 1))
    assert only(judge_cells(peer | cell("read", 64, (1000, 1, 2, 1)))).met
    assert not only(judge_cells(peer | cell("read", 64, (999, 1, 2, 1)))).met


def test_ratio_is_the_median_of_ratios_of_the_same_round() -> None:
    # Rounds of a machine that was busy with something else at first: 2.0, 0.5 and 1.5 times the peer.
    peer = cell("node_read", 64, (100, 1, 1, 1), (1000, 1, 1, 1), (2000, 1, 1, 1))
    read = cell("read", 64, (200, 1, 1, 1), (500, 1, 1, 1), (3000, 1, 1, 1))
    assert only(judge_cells(peer | read)).value == 1.5


def test_token_must_reach_four_fifths_of_an_empty_function_and_have_a_short_tail() -> None:
    cells = cell("noop", 64, (10_000, 1, 2, 1)) | cell("token", 64, (8000, 10, 30, 1))
    rate, tail = judge_cells(cells)
    assert (rate.value, rate.met) == (0.8, True)
    assert (tail.value, tail.met) == (3.0, False)


def test_added_latency_is_what_function_and_upstream_do_not_explain() -> None:
    cells = cell("read", 1, (1, 1.5, 2, 1)) | cell("noop", 1, (1, 0.25, 1, 1)) | cell("direct", 1, (1, 0.125, 1, 1))
    verdict = only(judge_cells(cells))
    assert (verdict.value, verdict.met) == (1.125, False)


def test_searchset_is_judged_by_the_worse_of_rate_and_processor_time() -> None:
    through = cell("search_pass_through", 64, (3000, 1, 1, 300))
    # Twice the time by rate, because the load generator held the pass-through up, but four times the processor.
    verdict = only(judge_cells(through | cell("search", 64, (1500, 1, 1, 1200))))
    assert (verdict.value, verdict.met) == (4.0, False)


def test_batch_start_and_memory_have_absolute_limits() -> None:
    assert only(judge_cells(cell("batch_slow", 1, (1, 130.0, 140, 1)))).met
    assert not only(judge_cells(cell("batch_slow", 1, (1, 130.1, 140, 1)))).met
    assert (judge(START, 1.5).met, judge(START, 1.51).met) == (True, False)
    assert (judge(MEMORY, 159.9).met, judge(MEMORY, 160).met) == (True, False)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.limit.name)
def test_goal_is_silent_while_one_of_its_rows_is_missing(goal: Goal) -> None:
    for missing in goal.needs:
        cells: Cells = {}
        for name, connections in goal.needs:
            if (name, connections) != missing:
                cells |= cell(name, connections, (1, 1, 1, 1))
        assert goal.limit.name not in [verdict.name for verdict in judge_cells(cells)]


def test_ratio_by_processor_time_stands_beside_the_ratio_by_rate() -> None:
    # Half the rate, because the neighbours were busy, but four fifths of the peer's processor time.
    peer = cell("node_read", 64, (1000, 1, 1, 500))
    verdict = only(judge_cells(peer | cell("read", 64, (500, 1, 1, 400))))
    assert (verdict.value, verdict.met, verdict.by_processor) == (0.5, False, 1.25)
