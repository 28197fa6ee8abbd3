import math
import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.errors import TooManyTokens
from gateway.telemetry.events import TOKEN_LIMIT_HIT, Seldom

_REMEMBERED = 10_000
_REPEAT_EVENT_SECONDS = 60.0


class TokenRate:
    """At most so many tokens a second for each client of this instance, a second's worth of them at once."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._told = Seldom(_REPEAT_EVENT_SECONDS, clock)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client_id: str) -> None:
        """Count a token for an authenticated client. Raises TooManyTokens."""
        if not self._per_second:
            return
        at = self._clock()
        left, since = self._buckets.get(client_id, (float(self._per_second), at))
        left = min(float(self._per_second), left + (at - since) * self._per_second)
        if left < 1:
            wait = math.ceil((1 - left) / self._per_second)
            if self._told.allows(client_id):
                TOKEN_LIMIT_HIT.log(limit="rate", client_id=client_id, caller="", retry_after_seconds=wait)
            raise TooManyTokens("This client asks for tokens faster than it may.", wait)
        self._buckets[client_id] = (left - 1, at)
        self._buckets.move_to_end(client_id)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
