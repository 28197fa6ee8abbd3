"""A lane per tenant: how many requests at a time, and whether any at all. One hospital's trouble stays in its lane."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.errors import Throttled, UpstreamSuspended
from gateway.registry import Tenant
from gateway.upstream.circuit import Circuit

_LANES = 4096
# Requests that may wait for their turn, per request that may run; more are sent away at once.
_QUEUE = 8


class Lane:
    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self.circuit = Circuit(clock)
        self._limit = limit
        self._running = asyncio.Semaphore(limit)
        self._inside = 0

    @property
    def idle(self) -> bool:
        return self._inside == 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Run one of the tenant's requests. Raises Throttled when too many wait, UpstreamSuspended in a pause."""
        if self._inside >= self._limit * (1 + _QUEUE):
            raise Throttled("Too many requests at a time to this tenant's FHIR server.", 1)
        self._inside += 1
        try:
            async with self._running:
                pause = self.circuit.wait()
                if pause:
                    raise UpstreamSuspended(
                        "The FHIR server failed repeatedly: the gateway gives it a pause.", max(1, round(pause))
                    )
                yield
        finally:
            self._inside -= 1


class Lanes:
    """The lanes of this process; those of tenants that were not asked for long are forgotten."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lanes: OrderedDict[tuple[str, str, int], Lane] = OrderedDict()

    def of(self, tenant: Tenant) -> Lane:
        limit = tenant.max_concurrency or self._limit
        # With the address, so that a corrected one does not inherit the wrong one's open circuit.
        key = (tenant.tenant_id, tenant.fhir_url, limit)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(limit, self._clock)
            self._forget()
        else:
            self._lanes.move_to_end(key)
        return lane

    def _forget(self) -> None:
        for key in list(self._lanes)[: max(0, len(self._lanes) - _LANES)]:
            if self._lanes[key].idle:
                del self._lanes[key]
