"""Callers who go away in the middle: nothing of theirs stays behind, and nobody else notices."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from gateway.errors import UpstreamTimeout
from gateway.settings import Settings
from gateway.upstream import Credentials, Upstream
from gateway.upstream.circuit import FAILURES, FIRST_PAUSE_SECONDS
from gateway.upstream.search import search
from gateway.upstream.session import open_session
from tests.gateway.upstream.conftest import MemorySecrets, TenantOf
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.faults import Slow, Status
from tests.upstreams.server import EmulatedServer, emulate

OAUTH = {"kind": "client-secret-post", "client_id": "gw", "secret": "upstream"}


class Gate:
    """Holds every request until it is opened, before the answer or in the middle of its body."""

    def __init__(self, *, mid_body: bool) -> None:
        self._mid_body = mid_body
        self.reached = asyncio.Semaphore(0)
        self.opened = asyncio.Event()
        self.gone = asyncio.Semaphore(0)

    async def answer(self, request: web.Request) -> web.StreamResponse | None:
        response = web.StreamResponse(headers={"Content-Type": "application/fhir+json", "Content-Length": "1000"})
        if self._mid_body:
            await response.prepare(request)
            await response.write(b'{"resourceType":')
        self.reached.release()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:  # what this server does when its client's connection closes
            self.gone.release()
            raise
        return response if self._mid_body else None


@pytest.fixture
def complaints() -> list[dict[str, Any]]:
    """What the event loop was told about: unclosed connections, responses and lost exceptions among it."""
    return []


@pytest.fixture(autouse=True)
async def quiet_loop(complaints: list[dict[str, Any]]) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    loop.set_debug(True)
    yield
    gc.collect(1)
    await asyncio.sleep(0)
    loop.set_debug(False)
    loop.set_exception_handler(None)
    assert complaints == []


async def cancelled(task: "asyncio.Task[object]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def reading(upstream: Upstream, server: EmulatedServer, tenant_of: TenantOf, **fields: object) -> "asyncio.Task[Any]":
    return asyncio.create_task(upstream.send(tenant_of(server, **fields), "GET", "Patient/p1", {}))


@pytest.mark.parametrize("mid_body", [False, True])
@pytest.mark.parametrize("form", [None, b"family=Cham"])
async def test_whoever_goes_away_frees_the_turn_and_the_connection(
    mid_body: bool, form: bytes | None, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate() as server:
        server.always = gate = Gate(mid_body=mid_body)
        for _ in range(3):  # one at a time may run: a turn that were kept would stop the second
            if form is None:
                task = reading(upstream, server, tenant_of, max_concurrency=1)
            else:
                tenant = tenant_of(server, max_concurrency=1)
                task = asyncio.create_task(upstream.send(tenant, "POST", "Patient/_search", {}, form))
            await asyncio.wait_for(gate.reached.acquire(), 2)
            await cancelled(task)
            await asyncio.wait_for(gate.gone.acquire(), 2)  # closed: an answer half read is no start for the next
        server.always = None
        assert (await reading(upstream, server, tenant_of, max_concurrency=1)).status == 200


async def test_whoever_waits_for_a_turn_may_go_away(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.always = gate = Gate(mid_body=False)
        running = reading(upstream, server, tenant_of, max_concurrency=1)
        await asyncio.wait_for(gate.reached.acquire(), 2)
        waiting = [reading(upstream, server, tenant_of, max_concurrency=1) for _ in range(8)]
        await asyncio.sleep(0)
        for task in waiting[:7]:
            await cancelled(task)
        waiting += [reading(upstream, server, tenant_of, max_concurrency=1) for _ in range(7)]
        gate.opened.set()
        answers = await asyncio.gather(running, *waiting[7:])  # none is sent away for the seven who left
        assert [answer.status for answer in answers] == [200] * 9
        lane = upstream._lanes.of(tenant_of(server, max_concurrency=1))
        assert lane.idle


async def test_a_pause_between_attempts_ends_with_its_caller(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.always = Status(503, retry_after="3")
        task = reading(upstream, server, tenant_of)
        await asyncio.sleep(0.25)
        await cancelled(task)
        assert upstream._lanes.of(tenant_of(server)).idle
        assert len(server.requests) == 1


async def test_a_token_that_many_wait_for_outlives_most_of_them(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(Behaviour(token=True)) as server:
        server.token_delay = 0.1
        auth = {**OAUTH, "token_url": server.token_url}
        tasks = [reading(upstream, server, tenant_of, auth=auth) for _ in range(10)]
        await asyncio.sleep(0.03)
        for task in tasks[:9]:
            await cancelled(task)
        assert (await tasks[9]).status == 200
        assert len(server.token_requests) == 1


async def test_a_token_that_nobody_waits_for_any_more_serves_the_next(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(Behaviour(token=True)) as server:
        server.token_delay = 0.1
        auth = {**OAUTH, "token_url": server.token_url}
        task = reading(upstream, server, tenant_of, auth=auth)
        await asyncio.sleep(0.03)
        await cancelled(task)
        assert (await reading(upstream, server, tenant_of, auth=auth)).status == 200
        assert len(server.token_requests) == 1


async def test_a_refusal_that_nobody_waits_for_any_more_is_nobodys(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(Behaviour(token=True)) as server:
        server.token_delay, server.secret = 0.05, "another"
        task = reading(upstream, server, tenant_of, auth={**OAUTH, "token_url": server.token_url})
        await asyncio.sleep(0.02)
        await cancelled(task)
        await asyncio.sleep(0.1)  # the failure comes now, and is looked at


async def test_a_search_over_pages_ends_with_its_caller(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(Behaviour(total="absent", page_size=2, max_page_size=2)) as server:
        server.faults.append(Slow(0))  # the first of its six pages comes
        server.always = gate = Gate(mid_body=False)
        task = asyncio.create_task(search(upstream, tenant_of(server), "Patient", [], {}))
        await asyncio.wait_for(gate.reached.acquire(), 2)
        await cancelled(task)
        await asyncio.wait_for(gate.gone.acquire(), 2)
        assert len(server.requests) == 2
        assert upstream._lanes.of(tenant_of(server)).idle


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _leave(upstream: Upstream, server: EmulatedServer, tenant_of: TenantOf) -> None:
    server.always = gate = Gate(mid_body=False)
    task = reading(upstream, server, tenant_of)
    await asyncio.wait_for(gate.reached.acquire(), 2)
    await cancelled(task)


async def _trip(upstream: Upstream, server: EmulatedServer, tenant_of: TenantOf) -> None:
    """An error of the gateway's own: a header that cannot be sent."""
    with pytest.raises(ValueError, match="header"):
        await upstream.send(tenant_of(server), "GET", "Patient/p1", {"x-request-id": "a\r\nb"})


@pytest.mark.parametrize("end", [_leave, _trip])
async def test_a_probe_that_tells_nothing_leaves_the_circuit_to_the_next(
    end: Callable[[Upstream, EmulatedServer, TenantOf], Awaitable[None]],
    settings: Settings,
    secrets: MemorySecrets,
    tenant_of: TenantOf,
) -> None:
    clock = Clock()
    quick = settings.model_copy(update={"upstream_timeout_seconds": 0.2})
    async with emulate() as server, open_session(quick) as session:
        upstream = Upstream(quick, session, Credentials(secrets, session, quick), clock)
        server.always = Slow(5)
        # At once, so that some report after the circuit has opened.
        failures = await asyncio.gather(
            *(upstream.send(tenant_of(server), "GET", "Patient/p1", {}) for _ in range(3 * FAILURES)),
            return_exceptions=True,
        )
        assert {type(failure) for failure in failures} == {UpstreamTimeout}
        clock.now += FIRST_PAUSE_SECONDS
        await end(upstream, server, tenant_of)
        server.always = None
        assert (await upstream.send(tenant_of(server), "GET", "Patient/p1", {})).status == 200
