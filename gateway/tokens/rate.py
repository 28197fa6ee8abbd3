import math
import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.errors import TooManyTokens

_REMEMBERED = 10_000


class TokenRate:
    """At most so many tokens a second for each client of this instance, a second's worth of them at once."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
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
            raise TooManyTokens("This client asks for tokens faster than it may.", wait)
        self._buckets[client_id] = (left - 1, at)
        self._buckets.move_to_end(client_id)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
