from gateway.upstream.circuit import FAILURES, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Circuit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    circuit = Circuit(Clock())
    for _ in range(FAILURES - 1):
        circuit.failed(circuit.era)
    circuit.succeeded(circuit.era)
    for _ in range(FAILURES - 1):
        circuit.failed(circuit.era)
    assert circuit.wait() == 0
    circuit.failed(circuit.era)
    assert circuit.wait() == FIRST_PAUSE_SECONDS


def test_the_pause_doubles_up_to_a_limit_and_a_success_closes_it() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.failed(circuit.era)
    pauses = []
    for _ in range(6):
        pauses.append(circuit.wait())
        clock.now += pauses[-1]
        assert circuit.wait() == 0  # half open: this one may try
        assert circuit.wait() > 0  # and nobody else
        circuit.failed(circuit.era)
    assert pauses == [5, 10, 20, 40, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    clock.now += LONGEST_PAUSE_SECONDS
    assert circuit.wait() == 0
    circuit.succeeded(circuit.era)
    assert circuit.wait() == 0
    assert circuit.wait() == 0


def test_an_abandoned_try_leaves_the_door_to_the_next() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.failed(circuit.era)
    clock.now += FIRST_PAUSE_SECONDS
    assert circuit.wait() == 0
    circuit.abandoned(circuit.era)
    assert circuit.wait() == 0


def test_late_reports_of_requests_under_way_change_nothing() -> None:
    """A hanging server: 64 requests began before the circuit opened, and time out one after the other."""
    clock = Clock()
    circuit = Circuit(clock)
    before = circuit.era
    for _ in range(FAILURES):
        circuit.failed(before)
    clock.now += 4
    circuit.failed(before)
    assert circuit.wait() == FIRST_PAUSE_SECONDS - 4
    clock.now += 1
    assert circuit.wait() == 0  # this one tries
    for late in (circuit.failed, circuit.abandoned, circuit.succeeded):
        late(before)
        assert circuit.wait() > 0  # still nobody beside it
    circuit.failed(circuit.era)
    assert circuit.wait() == 2 * FIRST_PAUSE_SECONDS  # doubled once, by the one that tried


def test_a_probe_that_is_over_says_nothing_about_the_next() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.failed(circuit.era)
    clock.now += FIRST_PAUSE_SECONDS
    assert circuit.wait() == 0
    circuit.succeeded(circuit.era)
    for _ in range(FAILURES - 1):
        circuit.failed(circuit.era)
    assert circuit.wait() == 0
