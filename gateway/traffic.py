"""What this instance saw of the FHIR route in the last hour: numbers of requests and the time of their hops."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.exchange import HOPS

MINUTES = 60
_SERVER_ERRORS = 500


@dataclass(slots=True)
class Minute:
    """`number` counts minutes since 1970; `seconds` are the sums over the minute's requests, for each hop of HOPS."""

    number: int = -1
    requests: int = 0
    failures: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(HOPS, 0.0))

    def mean_milliseconds(self, hop: str) -> float:
        return self.seconds[hop] / self.requests * 1000 if self.requests else 0.0


class Traffic:
    """A ring of MINUTES minutes: its memory is the same after one request and after a million. `clock` is seconds
    since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ring = [Minute() for _ in range(MINUTES)]

    def record(self, status: int, seconds: dict[str, float]) -> None:
        """Count one request that was answered; a status from 500 on is a failure."""
        number = int(self._clock() // 60)
        minute = self._ring[number % MINUTES]
        if minute.number != number:
            minute = self._ring[number % MINUTES] = Minute(number)
        minute.requests += 1
        minute.failures += status >= _SERVER_ERRORS
        for hop in HOPS:
            minute.seconds[hop] += seconds.get(hop, 0.0)

    def last_hour(self) -> list[Minute]:
        """MINUTES minutes, the oldest first and the one under way last."""
        newest = int(self._clock() // 60)
        numbers = range(newest - MINUTES + 1, newest + 1)
        kept = {minute.number: minute for minute in self._ring}
        return [kept.get(number) or Minute(number) for number in numbers]
