"""A lane per tenant: how many requests at a time, and whether any at all. One hospital's trouble stays in its lane."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.errors import Throttled, UpstreamBroken, UpstreamSuspended
from gateway.registry import Tenant
from gateway.settings import Settings
from gateway.upstream.addresses import AddressRefused, check_address
from gateway.upstream.circuit import Circuit

_LANES = 4096
# Requests that may wait for their turn, per request that may run; more are sent away at once.
_QUEUE = 8


class Lane:
    """`async with lane:` runs one of the tenant's requests, when its turn comes. Raises Throttled when too many wait,
    UpstreamSuspended in a pause of the circuit. `base` is the address of the FHIR server, without a slash at its end.
    """

    __slots__ = ("_inside", "_most", "_running", "base", "circuit")

    def __init__(self, base: str, limit: int, clock: Callable[[], float], tenant_id: str = "") -> None:
        self.base = base
        self.circuit = Circuit(clock, tenant_id)
        self._most = limit * (1 + _QUEUE)
        self._running = asyncio.Semaphore(limit)
        self._inside = 0

    @property
    def idle(self) -> bool:
        return self._inside == 0

    # A class, not a generator: this stands on the hot path.
    async def __aenter__(self) -> None:
        if self._inside >= self._most:
            raise Throttled("Too many requests at a time to this tenant's FHIR server.", 1)
        self._inside += 1
        try:
            await self._running.acquire()
        except BaseException:
            self._inside -= 1
            raise
        pause = self.circuit.wait()
        if pause:
            await self.__aexit__()
            raise UpstreamSuspended(
                "The FHIR server failed repeatedly: the gateway gives it a pause.", max(1, round(pause))
            )

    async def __aexit__(self, *_: object) -> None:
        self._running.release()
        self._inside -= 1


class Lanes:
    """The lanes of this process; those of tenants that were not asked for long are forgotten."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lanes: OrderedDict[tuple[str, str, int], Lane] = OrderedDict()

    def of(self, tenant: Tenant) -> Lane:
        """The tenant's lane. Raises UpstreamBroken when no request may go to the tenant's address, which is looked at
        once, when the lane is made; what its name resolves to, with every connection.
        """
        limit = tenant.max_concurrency or self._settings.tenant_max_concurrency
        # With the address, so that a corrected one does not inherit the wrong one's open circuit.
        key = (tenant.tenant_id, tenant.fhir_url, limit)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = self._make(tenant, limit)
            self._forget()
        else:
            self._lanes.move_to_end(key)
        return lane

    def _make(self, tenant: Tenant, limit: int) -> Lane:
        try:
            check_address(tenant.fhir_url, self._settings)
        except AddressRefused as error:
            raise UpstreamBroken(
                "The tenant's FHIR server is at an address that is not allowed.", detail=str(error)
            ) from None
        return Lane(tenant.fhir_url.rstrip("/"), limit, self._clock, tenant.tenant_id)

    def suspended(self) -> dict[str, str]:
        """The state of every circuit that is not closed, `open` or `half-open`, by tenant id."""
        return {
            tenant_id: lane.circuit.state
            for (tenant_id, _, _), lane in list(self._lanes.items())  # asked by the thread that collects metrics
            if lane.circuit.state != "closed"
        }

    def _forget(self) -> None:
        for key in list(self._lanes)[: max(0, len(self._lanes) - _LANES)]:
            if self._lanes[key].idle:
                del self._lanes[key]
