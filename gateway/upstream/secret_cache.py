import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.errors import UpstreamBroken
from gateway.secrets import SecretMissing, SecretStore, SecretsUnavailable
from gateway.upstream.shared_calls import SharedCalls

_SECONDS = 300
_LEAST_SECONDS = 5
_KEPT = 4096


class SecretCache:
    """Upstream secrets by name, kept for five minutes: Key Vault is slow and counts requests.

    A secret that a server refused is read anew, so that a rotated one works at once. While the store does not answer,
    the last value serves on.
    """

    def __init__(self, store: SecretStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._values: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._reads = SharedCalls[str]()

    async def get(self, name: str) -> str:
        """The secret, without surrounding space. Raises UpstreamBroken when it cannot be had."""
        kept = self._values.get(name)
        if kept is not None and kept[1] > self._clock():
            return kept[0]
        try:
            return await self._reads.of(name, lambda: self._read(name))
        except SecretMissing as error:
            raise UpstreamBroken("The tenant's credential is not available.", detail=str(error)) from error
        except SecretsUnavailable as error:
            if kept is not None:
                return kept[0]
            raise UpstreamBroken("The tenant's credential is not available.", detail=str(error)) from error

    def expire(self, name: str) -> None:
        """The value was refused: read it anew at the next occasion, but not more often than every five seconds."""
        kept = self._values.get(name)
        if kept is not None and kept[1] - _SECONDS + _LEAST_SECONDS <= self._clock():
            self._values[name] = (kept[0], self._clock())

    async def _read(self, name: str) -> str:
        value = (await self._store.get(name)).strip()
        self._values[name] = (value, self._clock() + _SECONDS)
        self._values.move_to_end(name)
        if len(self._values) > _KEPT:
            self._values.popitem(last=False)
        return value
