import pytest

from gateway.conformance.calls import Request
from gateway.conformance.checks.service import SERVICE
from gateway.conformance.evidence import Evidence, Exchange
from gateway.conformance.latency import BOUNDS_MILLISECONDS, histogram, percentile
from gateway.conformance.verdicts import State
from gateway.versions import FhirVersion


@pytest.mark.parametrize(
    ("times", "share", "expected"),
    [
        ([1.0], 0.5, 1.0),
        ([1.0], 0.95, 1.0),
        ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0),  # nearest rank: the second of four
        (list(map(float, range(1, 101))), 0.95, 95.0),
        (list(map(float, range(1, 101))), 1.0, 100.0),
    ],
)
def test_a_percentile_is_the_nearest_rank(times: list[float], share: float, expected: float) -> None:
    assert percentile(times, share) == expected


def test_every_time_falls_into_one_bar() -> None:
    assert BOUNDS_MILLISECONDS[:2] == (10, 30)
    assert histogram([9.9, 10.0, 10.1, 30.0, 999_999.0]) == [2, 2, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("milliseconds", "state"), [(4_000.0, State.MET), (6_000.0, State.UNMET)])
def test_a_slow_server_is_named_by_its_check(milliseconds: float, state: State) -> None:
    evidence = Evidence("server", FhirVersion.STU3)
    for _ in range(10):
        request = Request("read", "GET", "Patient/1", "GET Patient/{id}")
        evidence.add(Exchange(request, 200, milliseconds), evidence.place("read"))
    pace = next(check for check in SERVICE if check.id == "pace")
    assert pace.test(evidence).state is state
