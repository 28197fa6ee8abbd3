"""Extra reads for the displays that the app shows and a search result only refers to: bounded, concurrent, and cached
for one request of the caller.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson

from gateway.errors import GatewayError
from gateway.versions.fill import fill_displays, missing_displays

type Resource = dict[str, Any]
type Read = Callable[[str], Awaitable[Resource | None]]

AT_ONCE = 6
# Of one request of the caller, a batch and all its entries included.
MOST_READS = 40
PATIENCE_SECONDS = 4.0
_OK = 200


class Displays:
    """The displays of one request."""

    def __init__(self) -> None:
        self._reads: dict[str, asyncio.Task[Resource | None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def fill(self, resources: Iterable[Resource], read: Read) -> None:
        """Write the missing displays into the resources; `read` fetches what a literal reference points to, or None.

        What cannot be had within four seconds stays missing: an answer without a practitioner's name is better than
        none.
        """
        resources = list(resources)
        fetched: dict[str, Resource] = {}
        tasks = {reference: task for reference in missing_displays(resources) if (task := self._task(reference, read))}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=PATIENCE_SECONDS)
            for reference, task in tasks.items():
                found = task.result() if task.done() and not task.cancelled() else None
                if found is not None:
                    fetched[reference] = found
        fill_displays(resources, fetched)

    async def close(self) -> None:
        """Give up on reads that nobody waits for any more."""
        late = [task for task in self._reads.values() if not task.done()]
        for task in late:
            task.cancel()
        if late:
            await asyncio.gather(*late, return_exceptions=True)

    def _task(self, reference: str, read: Read) -> "asyncio.Task[Resource | None] | None":
        task = self._reads.get(reference)
        if task is None and len(self._reads) < MOST_READS:
            task = self._reads[reference] = asyncio.create_task(self._fetch(reference, read))
        return task

    async def _fetch(self, reference: str, read: Read) -> Resource | None:
        async with self._slots:
            try:
                return await read(reference)
            except GatewayError:
                return None


def parsed(status: int, body: bytes) -> Resource | None:
    """The resource in an answer to such a read, None when there is none."""
    try:
        resource = orjson.loads(body) if status == _OK else None
    except ValueError:
        return None
    return resource if isinstance(resource, dict) else None
