import time
from collections.abc import Callable
from typing import Literal

from gateway.telemetry.events import CIRCUIT_CLOSED, CIRCUIT_HALF_OPEN, CIRCUIT_OPENED

FAILURES = 5
"""So many failed requests in a row open the circuit."""
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0


class Circuit:
    """Keeps requests from a server that fails: open after FAILURES in a row, for a time that doubles up to
    LONGEST_PAUSE_SECONDS; then one request tries, and closes it or opens it anew. `clock` counts seconds.

    Whoever is let through by `wait` notes `era` and reports back with it by `succeeded`, `failed` or `abandoned`.
    Requests that began before the circuit opened report late, some after their long time-outs: nothing follows from
    that, else they would lengthen the pause or let others in beside the one that tries.

    What happens to it is an event each, which names the tenant.
    """

    __slots__ = ("_clock", "_failures", "_open_until", "_opened_at", "_pause", "_probing", "_tenant_id", "era")

    def __init__(self, clock: Callable[[], float] = time.monotonic, tenant_id: str = "") -> None:
        self._clock = clock
        self._tenant_id = tenant_id
        self._opened_at = 0.0
        self._failures = 0
        self._open_until: float | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._probing = False
        self.era = 0

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        if self._open_until is None:
            return "closed"
        return "half-open" if self._probing else "open"

    def wait(self) -> float:
        """Seconds to stay away; 0 lets this one request through."""
        if self._open_until is None:
            return 0.0
        left = self._open_until - self._clock()
        if left > 0:
            return left
        if self._probing:
            return 1.0
        self._probing = True
        CIRCUIT_HALF_OPEN.log(tenant=self._tenant_id)
        return 0.0

    def succeeded(self, era: int) -> None:
        if era != self.era:
            return
        if self._open_until is not None:
            CIRCUIT_CLOSED.log(tenant=self._tenant_id, open_seconds=round(self._clock() - self._opened_at, 1))
        self._failures = 0
        self._open_until = None
        self._pause = FIRST_PAUSE_SECONDS
        self._probing = False

    def failed(self, era: int, reason: str = "broken") -> None:
        """`reason` is the class of failure that the event tells."""
        if era != self.era:
            return
        self._failures += 1
        if self._probing:
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        if self._probing or self._failures >= FAILURES:
            at = self._clock()
            if self._open_until is None:
                self._opened_at = at
            self._open_until = at + self._pause
            CIRCUIT_OPENED.log(tenant=self._tenant_id, reason=reason, pause_seconds=self._pause)
            self._probing = False
            self.era += 1

    def abandoned(self, era: int) -> None:
        """The request told nothing: its caller went away."""
        if era == self.era:
            self._probing = False
