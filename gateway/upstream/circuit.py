import time
from collections.abc import Callable

FAILURES = 5
"""So many failed requests in a row open the circuit."""
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0


class Circuit:
    """Keeps requests from a server that fails: open after FAILURES in a row, for a time that doubles up to
    LONGEST_PAUSE_SECONDS; then one request tries, and closes it or opens it anew. `clock` counts seconds.
    """

    __slots__ = ("_clock", "_failures", "_open_until", "_pause", "_probing")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._probing = False

    def wait(self) -> float:
        """Seconds to stay away; 0 lets this one request through. After the pause, whoever is let through must report
        back by `succeeded`, `failed` or `abandoned`.
        """
        if self._open_until is None:
            return 0.0
        left = self._open_until - self._clock()
        if left > 0:
            return left
        if self._probing:
            return 1.0
        self._probing = True
        return 0.0

    def succeeded(self) -> None:
        self._failures = 0
        self._open_until = None
        self._pause = FIRST_PAUSE_SECONDS
        self._probing = False

    def failed(self) -> None:
        self._failures += 1
        if self._probing:
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        # Requests that were under way when it opened report late: they do not lengthen the pause.
        if self._probing or (self._open_until is None and self._failures >= FAILURES):
            self._open_until = self._clock() + self._pause
        self._probing = False

    def abandoned(self) -> None:
        """The request told nothing: its caller went away."""
        self._probing = False
