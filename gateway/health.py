"""Whether the service can serve, and what is down since when. Anybody may ask: nothing here names a tenant."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.errors import StorageUnavailable
from gateway.registry.cache import Source
from gateway.registry.models import now

_PATIENCE_SECONDS = 3.0
_REMEMBERED = timedelta(seconds=1)

type Status = Literal["ok", "degraded", "unavailable"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """`check` returns when it answers and raises StorageUnavailable when it does not. `sources` are the caches of what
    is read from it. `serves_for` is how long the service goes on without it, once it was read.
    """

    check: Callable[[], Awaitable[object]]
    sources: tuple[Source, ...]
    serves_for: timedelta
    from_memory: bool = False
    """Whether `check` may answer by what is remembered: then the sources tell how the last read went."""


class Health:
    """The readiness of this instance. Concurrent questions, and those within a second, ask the dependencies once."""

    def __init__(
        self,
        dependencies: Mapping[str, Dependency],
        suspended: Callable[[], Mapping[str, str]],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._dependencies = dependencies
        self._suspended = suspended
        self._clock = clock
        self._failing: dict[str, datetime] = {}
        self._answered: set[str] = set()
        self._known: tuple[datetime, dict[str, Any]] | None = None
        self._asking: asyncio.Task[dict[str, Any]] | None = None

    async def report(self) -> dict[str, Any]:
        """`status`, and `dependencies` with a `status` each, and `since` (ISO 8601, UTC) where one is down.

        As a whole it is `degraded` while the service goes on without a dependency, with what it remembers, and
        `unavailable` when it cannot. Hospitals are counted only: one that is down is no reason to take the service out.
        """
        if self._known is not None and self._clock() - self._known[0] < _REMEMBERED:
            return self._known[1]
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> dict[str, Any]:
        names = list(self._dependencies)
        since = dict(zip(names, await asyncio.gather(*map(self._down_since, names)), strict=True))
        status: Status = "ok"
        for name, started in since.items():
            if started is not None:
                fatal = name not in self._answered or self._clock() - started >= self._dependencies[name].serves_for
                status = "unavailable" if fatal or status == "unavailable" else "degraded"
        paused = len(self._suspended())
        report = {
            "status": status,
            "dependencies": {
                **{name: _told(started) for name, started in since.items()},
                "upstreams": {"status": "degraded" if paused else "ok", "circuits_open": paused},
            },
        }
        self._known = (self._clock(), report)
        return report

    async def _down_since(self, name: str) -> datetime | None:
        dependency = self._dependencies[name]
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await dependency.check()
        except (StorageUnavailable, TimeoutError):
            failing = [source.failing_since for source in dependency.sources]
        else:
            self._answered.add(name)
            failing = [source.failing_since for source in dependency.sources] if dependency.from_memory else []
            if not any(failing):
                self._failing.pop(name, None)
                return None
        earliest = min([self._failing.get(name, self._clock()), *_present(failing)])
        self._failing[name] = earliest
        return earliest


def _present(moments: Iterable[datetime | None]) -> list[datetime]:
    return [moment for moment in moments if moment is not None]


def _told(since: datetime | None) -> dict[str, str]:
    if since is None:
        return {"status": "ok"}
    return {"status": "unavailable", "since": since.strftime("%Y-%m-%dT%H:%M:%SZ")}
