import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from gateway.upstream.shared_calls import SharedCalls

_KEPT = 4096
# A token is renewed this long before it ends, so that it is still good when the request arrives.
_MARGIN_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its life in seconds from when it was asked for."""

    value: str
    life: float

    def __repr__(self) -> str:
        return f"Token(life={self.life})"


class TokenCache:
    """Access tokens by credential. One refresh at a time for each; those who wait share its token, or its failure."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: OrderedDict[Hashable, tuple[str, float]] = OrderedDict()
        self._refreshes = SharedCalls[str]()

    async def get(self, key: Hashable, request: Callable[[], Awaitable[Token]]) -> str:
        """The token of `key`, by `request` when there is none that lasts. Raises what `request` raises."""
        kept = self._tokens.get(key)
        if kept is not None and kept[1] > self._clock():
            return kept[0]
        return await self._refreshes.of(key, lambda: self._refresh(key, request))

    def drop(self, key: Hashable, value: str) -> None:
        """Forget a token that was refused, unless a newer one took its place."""
        kept = self._tokens.get(key)
        if kept is not None and kept[0] == value:
            del self._tokens[key]

    async def _refresh(self, key: Hashable, request: Callable[[], Awaitable[Token]]) -> str:
        started = self._clock()
        token = await request()
        # Half of a very short life, or the margin: never renew on every request.
        self._tokens[key] = (token.value, started + max(token.life - _MARGIN_SECONDS, token.life / 2))
        self._tokens.move_to_end(key)
        if len(self._tokens) > _KEPT:
            self._tokens.popitem(last=False)
        return token.value
