import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.errors import StorageUnavailable

_log = logging.getLogger(__name__)

# While storage is slow or down, a request waits no longer than this for it as long as a stale value can serve.
_PATIENCE_SECONDS = 0.5
_RETRY_SECONDS = 1.0


@dataclass(slots=True)
class _Entry[V]:
    value: V
    read_at: float
    retry_at: float = 0.0


class Cache[V]:
    """Values by key, read through `load`, at most `ttl` seconds old; when `load` raises, a value of up to `stale`
    seconds more serves on.

    Concurrent misses of one key load once. A value in use is loaded again in the background from half its life on, so
    that a steady caller never waits. The least recently used keys go first when there are more than `size`; keys whose
    value is None (there is no such thing) are counted apart, so that asking for made-up keys drives out no real one.
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
        self._present: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._absent: OrderedDict[str, _Entry[V]] = OrderedDict()
        self._loading: dict[str, asyncio.Task[V]] = {}

    def fresh(self, key: str) -> tuple[V] | None:
        """The value in a tuple if it can be had without waiting; starts the refresh when it is half old."""
        entry = self._use(key)
        if entry is None:
            return None
        now = self._clock()
        age = now - entry.read_at
        if age >= self._ttl:
            return None
        if age >= self._ttl / 2 and now >= entry.retry_at and key not in self._loading:
            self._start(key)
        return (entry.value,)

    async def get(self, key: str) -> V:
        """Raises what `load` raised when there must be a load, it fails, and nothing young enough is left."""
        if (hit := self.fresh(key)) is not None:
            return hit[0]
        entry = self._use(key)
        if entry is None or self._clock() - entry.read_at >= self._ttl + self._stale:
            return await asyncio.shield(self._loading.get(key) or self._start(key))
        if self._clock() < entry.retry_at:
            return entry.value
        task = self._loading.get(key) or self._start(key)
        try:
            # shield: the load is shared, one impatient or cancelled caller must not take it from the others
            return await asyncio.wait_for(asyncio.shield(task), _PATIENCE_SECONDS)
        except Exception:  # noqa: BLE001  # whatever went wrong, `_finished` logs it: a stale value is better than none
            entry.retry_at = self._clock() + _RETRY_SECONDS
            return entry.value

    def forget(self, key: str) -> None:
        """Read the key anew when it is next asked for; a load under way, which may have read too early, is not kept."""
        self._present.pop(key, None)
        self._absent.pop(key, None)
        self._loading.pop(key, None)

    def __len__(self) -> int:
        return len(self._present) + len(self._absent)

    def _use(self, key: str) -> _Entry[V] | None:
        for entries in (self._present, self._absent):
            if (entry := entries.get(key)) is not None:
                entries.move_to_end(key)
                return entry
        return None

    def _start(self, key: str) -> "asyncio.Task[V]":
        task = asyncio.ensure_future(self._read(key))
        self._loading[key] = task
        task.add_done_callback(lambda done: self._finished(key, done))
        return task

    async def _read(self, key: str) -> V:
        # Taken before the read: what changes while it runs must not count as seen.
        started = self._clock()
        value = await self._load(key)
        if self._loading.get(key) is asyncio.current_task():
            self._keep(key, _Entry(value, started))
        return value

    def _keep(self, key: str, entry: _Entry[V]) -> None:
        entries, others = (self._absent, self._present) if entry.value is None else (self._present, self._absent)
        others.pop(key, None)
        entries[key] = entry
        entries.move_to_end(key)
        if len(entries) > self._size:
            entries.popitem(last=False)

    def _finished(self, key: str, task: "asyncio.Task[V]") -> None:
        if self._loading.get(key) is task:
            del self._loading[key]
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if not isinstance(error, StorageUnavailable):
            # The type alone: its text may quote what was read.
            _log.error("a cached value could not be loaded: %s", type(error).__name__)
        for entries in (self._present, self._absent):
            if key in entries:
                entries[key].retry_at = self._clock() + _RETRY_SECONDS
