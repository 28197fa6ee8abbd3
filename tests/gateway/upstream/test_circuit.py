from gateway.upstream.circuit import FAILURES, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Circuit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    circuit = Circuit(Clock())
    for _ in range(FAILURES - 1):
        circuit.failed()
    circuit.succeeded()
    for _ in range(FAILURES - 1):
        circuit.failed()
    assert circuit.wait() == 0
    circuit.failed()
    assert circuit.wait() == FIRST_PAUSE_SECONDS


def test_the_pause_doubles_up_to_a_limit_and_a_success_closes_it() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.failed()
    pauses = []
    for _ in range(6):
        pauses.append(circuit.wait())
        clock.now += pauses[-1]
        assert circuit.wait() == 0  # half open: this one may try
        assert circuit.wait() > 0  # and nobody else
        circuit.failed()
    assert pauses == [5, 10, 20, 40, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
    clock.now += LONGEST_PAUSE_SECONDS
    assert circuit.wait() == 0
    circuit.succeeded()
    assert circuit.wait() == 0
    assert circuit.wait() == 0


def test_an_abandoned_try_leaves_the_door_to_the_next() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.failed()
    clock.now += FIRST_PAUSE_SECONDS
    assert circuit.wait() == 0
    circuit.abandoned()
    assert circuit.wait() == 0


def test_late_failures_of_requests_under_way_do_not_lengthen_the_pause() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.failed()
    clock.now += 4
    circuit.failed()
    assert circuit.wait() == FIRST_PAUSE_SECONDS - 4
