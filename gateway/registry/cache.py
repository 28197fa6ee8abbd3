import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from gateway.telemetry.events import DEPENDENCY_RESTORED, KEY_REFRESH_FAILED, STORAGE_UNAVAILABLE, Seldom

# While storage is slow or down, a request waits no longer than this for it as long as a stale value can serve.
_PATIENCE_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_REPEAT_EVENT_SECONDS = 60.0


@dataclass(slots=True)
class _Entry[V]:
    value: V
    read_at: float
    retry_at: float = 0.0


@dataclass(slots=True)
class CacheReads:
    """What came of reads, since the process started."""

    hits: int = 0
    """Answered with a value that is young enough."""
    misses: int = 0
    """Waited for a load."""
    stale: int = 0
    """Answered with an old value, since storage failed or was slow."""


@dataclass(slots=True)
class Source:
    """What caches read from: its name in events, and how it fares, as the last load found it."""

    name: str
    kind: Literal["table", "secret", "other"]
    """Failures of the first two are events."""
    failing_since: datetime | None = None
    _failed_at: float = 0.0
    _events: Seldom = field(default_factory=lambda: Seldom(_REPEAT_EVENT_SECONDS))

    def failed(self, error: BaseException, at: float, *, serves: bool) -> None:
        if self.failing_since is None:
            self.failing_since, self._failed_at = datetime.now(UTC), at
        serving = "stale" if serves else "nothing"
        if self._events.allows(serving):
            # The type alone: its text may quote what was read.
            error_type = type(error).__name__
            match self.kind:
                case "table":
                    STORAGE_UNAVAILABLE.log(cache=self.name, serving=serving, error=error_type)
                case "secret":
                    KEY_REFRESH_FAILED.log(secret=self.name, serving=serving, error=error_type)

    def answered(self, at: float) -> None:
        if self.failing_since is not None:
            if self.kind != "other":
                DEPENDENCY_RESTORED.log(cache=self.name, seconds=round(at - self._failed_at, 1))
            self.failing_since = None
            self._events = Seldom(_REPEAT_EVENT_SECONDS)


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
        source: Source | None = None,
    ) -> None:
        self.source = source or Source("other", "other")
        self.reads = CacheReads()
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
        self.reads.hits += 1
        return (entry.value,)

    async def get(self, key: str) -> V:
        """Raises what `load` raised when there must be a load, it fails, and nothing young enough is left."""
        if (hit := self.fresh(key)) is not None:
            return hit[0]
        entry = self._use(key)
        if entry is None or not self._serves(entry):
            self.reads.misses += 1
            return await asyncio.shield(self._loading.get(key) or self._start(key))
        if self._clock() < entry.retry_at:
            self.reads.stale += 1
            return entry.value
        task = self._loading.get(key) or self._start(key)
        try:
            # shield: the load is shared, one impatient or cancelled caller must not take it from the others
            value = await asyncio.wait_for(asyncio.shield(task), _PATIENCE_SECONDS)
        except Exception as error:  # noqa: BLE001  # whatever went wrong, a stale value is better than none
            self.reads.stale += 1
            entry.retry_at = self._clock() + _RETRY_SECONDS
            if isinstance(error, TimeoutError):
                self.source.failed(error, self._clock(), serves=True)  # `_finished` tells of the other ones
            return entry.value
        self.reads.misses += 1
        return value

    def forget(self, key: str) -> None:
        """Read the key anew when it is next asked for; a load under way, which may have read too early, is not kept."""
        self._present.pop(key, None)
        self._absent.pop(key, None)
        self._loading.pop(key, None)

    def __len__(self) -> int:
        return len(self._present) + len(self._absent)

    def _serves(self, entry: _Entry[V]) -> bool:
        return self._clock() - entry.read_at < self._ttl + self._stale

    def _use(self, key: str) -> _Entry[V] | None:
        entry = self._present.get(key)
        if entry is not None:
            self._present.move_to_end(key)
        elif (entry := self._absent.get(key)) is not None:
            self._absent.move_to_end(key)
        return entry

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
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.source.answered(self._clock())
            return
        entry = self._present.get(key) or self._absent.get(key)
        self.source.failed(error, self._clock(), serves=entry is not None and self._serves(entry))
        if entry is not None:
            entry.retry_at = self._clock() + _RETRY_SECONDS
