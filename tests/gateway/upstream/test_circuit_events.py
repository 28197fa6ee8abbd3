import logging
from typing import Any

import pytest

from gateway.errors import UpstreamBroken
from gateway.upstream.circuit import FAILURES, FIRST_PAUSE_SECONDS, Circuit
from gateway.upstream.transport import _reason, _Unreachable

TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    told = ("event", "tenant", "reason", "pause_seconds", "open_seconds")
    return [{name: vars(record)[name] for name in told if name in vars(record)} for record in caplog.records]


def test_the_life_of_a_circuit_is_four_events(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.events")
    clock = Clock()
    circuit = Circuit(clock, TENANT)
    for _ in range(FAILURES - 1):
        circuit.failed(circuit.era, "timeout")
    assert caplog.records == []
    circuit.failed(circuit.era, "timeout")
    states = [circuit.state]
    clock.now += FIRST_PAUSE_SECONDS
    circuit.wait()
    states.append(circuit.state)
    circuit.failed(circuit.era, "unreachable")
    clock.now += 2 * FIRST_PAUSE_SECONDS
    circuit.wait()
    circuit.succeeded(circuit.era)
    states.append(circuit.state)
    assert states == ["open", "half-open", "closed"]
    circuit.succeeded(circuit.era)
    assert events(caplog) == [
        {"event": "circuit-opened", "tenant": TENANT, "reason": "timeout", "pause_seconds": 5.0},
        {"event": "circuit-half-open", "tenant": TENANT},
        {"event": "circuit-opened", "tenant": TENANT, "reason": "unreachable", "pause_seconds": 10.0},
        {"event": "circuit-half-open", "tenant": TENANT},
        {"event": "circuit-closed", "tenant": TENANT, "open_seconds": 15.0},
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "timeout"),
        (_Unreachable("The FHIR server cannot be reached."), "unreachable"),
        (UpstreamBroken("The FHIR server redirects without end."), "broken"),
    ],
)
def test_the_reason_is_a_class_of_failure(error: UpstreamBroken | TimeoutError, reason: str) -> None:
    assert _reason(error) == reason
