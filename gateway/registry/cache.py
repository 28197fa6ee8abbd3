import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.errors import StorageUnavailable

# While storage is slow or down, a request waits no longer than this for it as long as a stale value can serve.
_PATIENCE_SECONDS = 0.5
_RETRY_SECONDS = 1.0


@dataclass(slots=True)
class _Entry[V]:
    value: V
    read_at: float
    retry_at: float = 0.0


class Cache[V]:
    """Values by key, read through `load`, at most `ttl` seconds old; when `load` raises StorageUnavailable, a value of
    up to `stale` seconds more serves on.

    Concurrent misses of one key load once. A value in use is loaded again in the background from half its life on, so
    that a steady caller never waits. The least recently used keys go first when there are more than `size`.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[V]],
        *,
        ttl: float,
        stale: float,
        size: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._ttl = ttl
        self._stale = stale
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._loading: dict[str, asyncio.Task[V]] = {}

    def fresh(self, key: str) -> tuple[V] | None:
        """The value in a tuple if it can be had without waiting; starts the refresh when it is half old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock()
        age = now - entry.read_at
        if age >= self._ttl:
            return None
        self._entries.move_to_end(key)
        if age >= self._ttl / 2 and now >= entry.retry_at and key not in self._loading:
            self._start(key)
        return (entry.value,)

    async def get(self, key: str) -> V:
        """Raises StorageUnavailable when it must load, cannot, and nothing young enough is left."""
        if (hit := self.fresh(key)) is not None:
            return hit[0]
        entry = self._entries.get(key)
        usable = entry is not None and self._clock() - entry.read_at < self._ttl + self._stale
        if entry is not None and usable and self._clock() < entry.retry_at:
            return entry.value
        task = self._loading.get(key) or self._start(key)
        try:
            # shield: the load is shared, one impatient or cancelled caller must not take it from the others
            return await asyncio.wait_for(asyncio.shield(task), _PATIENCE_SECONDS if usable else None)
        except (StorageUnavailable, TimeoutError):
            if entry is not None and usable:
                entry.retry_at = self._clock() + _RETRY_SECONDS
                return entry.value
            raise

    def forget(self, key: str) -> None:
        self._entries.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def _start(self, key: str) -> "asyncio.Task[V]":
        task = asyncio.ensure_future(self._read(key))
        self._loading[key] = task
        task.add_done_callback(lambda done: self._finished(key, done))
        return task

    async def _read(self, key: str) -> V:
        # Taken before the read: what changes while it runs must not count as seen.
        started = self._clock()
        value = await self._load(key)
        self._entries[key] = _Entry(value, started)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)
        return value

    def _finished(self, key: str, task: "asyncio.Task[V]") -> None:
        self._loading.pop(key, None)
        if not task.cancelled() and task.exception() is not None and (entry := self._entries.get(key)):
            entry.retry_at = self._clock() + _RETRY_SECONDS
