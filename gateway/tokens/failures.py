"""Failed client authentications, counted to slow down whoever guesses."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from gateway.errors import TooManyFailures
from gateway.telemetry.events import TOKEN_LIMIT_HIT, Seldom, caller_hash

WINDOW_SECONDS = 60
PER_CLIENT_AND_ADDRESS = 30
PER_ADDRESS = 300
PER_CLIENT = 3000
"""High: an attacker who names somebody else's client from many addresses should not use it up soon."""
_REMEMBERED = 10_000
_LONGEST_ID = 64


class Failures:
    """Failures within a minute by client and address together, by address, and by client. Memory is bounded: the
    counts that were raised longest ago go first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = Seldom(WINDOW_SECONDS, clock)
        self._counts: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def check(self, client_id: str, address: str) -> None:
        """Raises TooManyFailures with the seconds until the next try makes sense."""
        at = self._clock()
        for key, limit in _limits(client_id, address):
            started, count = self._counts.get(key, (at, 0))
            remaining = started + WINDOW_SECONDS - at
            if count >= limit and remaining > 0:
                wait = math.ceil(remaining)
                caller = caller_hash(address)
                if self._told.allows(caller):
                    TOKEN_LIMIT_HIT.log(limit="failures", client_id="", caller=caller, retry_after_seconds=wait)
                raise TooManyFailures(wait)

    def add(self, client_id: str, address: str) -> None:
        """Count one. Raises TooManyFailures when the limit had been reached before."""
        self.check(client_id, address)
        at = self._clock()
        for key, _ in _limits(client_id, address):
            started, count = self._counts.get(key, (at, 0))
            self._counts[key] = (started, count + 1) if at - started < WINDOW_SECONDS else (at, 1)
            self._counts.move_to_end(key)
        while len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)

    def __len__(self) -> int:
        return len(self._counts)


def _limits(client_id: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    client = client_id[:_LONGEST_ID].lower()
    return (
        ((client, address), PER_CLIENT_AND_ADDRESS),
        (("", address), PER_ADDRESS),
        ((client, ""), PER_CLIENT),
    )


def caller_address(headers: Mapping[str, str]) -> str:
    """The address that Azure's front end saw: the last item of X-Forwarded-For, which it appends itself. What stands
    before it, and every other header, is the caller's own word. IPv6 addresses count by /64, which is what one
    subscriber has. `unknown` without a front end.
    """
    last = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if last.startswith("["):
        last = last[1:].partition("]")[0]
    elif last.count(":") == 1:
        last = last.partition(":")[0]
    try:
        address = ipaddress.ip_address(last)
    except ValueError:
        return "unknown"
    if address.version == 6:  # noqa: PLR2004
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
