"""Table Storage goes away under load: killed, frozen, killed for longer than the service may remember."""

import asyncio
import signal
import time
from pathlib import Path

import orjson
import pytest

from tests.faults.app import App, Outcome, eventually, open_app, tell, under_load
from tests.faults.assertions import asserted, key_set, signed
from tests.faults.rig import Storage, Workers, open_service, register, settings_for
from tests.upstreams.server import emulate

pytestmark = pytest.mark.e2e

# Storage has to start again within STALE, also on a busy machine.
TTL, STALE = 1, 8
CALLERS = 8
DEGRADED = "200 degraded, tables down since"
UNAVAILABLE = "503 unavailable, tables down since"


async def test_storage_killed_and_restarted(storage: Storage, workers: Workers, tmp_path: Path) -> None:
    variables = settings_for(storage, tmp_path, CACHE_TTL_SECONDS=str(TTL), CACHE_STALE_SECONDS=str(STALE))
    async with emulate() as hospital:
        async with open_service(variables) as service:
            client, tenants = await register(service, [hospital.base_url] * 4, jwks=key_set())
        await asyncio.to_thread(storage.save)
        never_asked = tenants.pop()
        worker = workers.start(variables)
        async with open_app(client, worker.base_url) as app:
            await short_outages(storage, app, tenants)
            await long_outage(storage, app, tenants, never_asked)


async def short_outages(storage: Storage, app: App, tenants: list[str]) -> None:
    """Shorter than CACHE_STALE_SECONDS: nobody notices, but whoever asks whether the service is ready."""
    for tenant in tenants:
        await app.token(tenant)
    assert await app.ready() == "200 ok"
    async with under_load(lambda number: draw_and_read(app, tenants, number), callers=CALLERS):
        await asyncio.sleep(TTL)
        storage.kill()
        await eventually(lambda: says(app, DEGRADED), seconds=4, what="ready tells of the outage")
        await asyncio.sleep(1)
        await asyncio.to_thread(storage.start)
        back = await eventually(lambda: says(app, "200 ok"), seconds=5, what="ready again")
        await asyncio.sleep(TTL)
        storage.signal(signal.SIGSTOP)
        await asyncio.sleep(3)
        storage.signal(signal.SIGCONT)
        await asyncio.sleep(TTL)
    lost = [each for each in app.account if each.lost]
    tried = f"{len(app.account)} token and read requests while storage was killed (back after {back:.1f} s) and frozen"
    tell("storage, short outage", tried, lost)


async def long_outage(storage: Storage, app: App, tenants: list[str], never_asked: str) -> None:
    """Longer: a clear 503, never a wrong answer, and all is well soon after."""
    app.account.clear()
    async with under_load(lambda number: draw_and_read(app, tenants, number), callers=CALLERS):
        await asyncio.sleep(TTL)
        storage.kill()
        killed = time.monotonic()
        await asyncio.sleep(TTL + 1)
        await what_cannot_be_known_is_503(app, tenants[0], never_asked)
        await asyncio.sleep(STALE + 2)
        assert await app.ready() == UNAVAILABLE
        starting = time.monotonic()
        await asyncio.to_thread(storage.start)
        started = time.monotonic()
        back = await eventually(lambda: draws(app, tenants[0]), seconds=8, what="tokens are drawn again")
        await asyncio.sleep(2)
    lost = [each for each in app.account if each.tenant in tenants and not allowed(each, killed, starting, started)]
    refused = sum(each.status == 503 for each in app.account)
    assert refused
    tried = f"{len(app.account)} requests, {refused} of them 503 after CACHE_STALE_SECONDS, tokens {back:.1f} s after"
    tell("storage, long outage", tried, lost)


def allowed(outcome: Outcome, killed: float, starting: float, started: float) -> bool:
    """200 while something young enough is remembered, 503 with Retry-After when nothing can be, never anything else."""
    unavailable = outcome.status == 503 and outcome.right and outcome.retry_after != ""
    if outcome.began + outcome.seconds < killed + STALE or outcome.began > started + 1.5:
        return not outcome.lost
    if outcome.began > killed + TTL + STALE and outcome.began + outcome.seconds < starting:
        return unavailable
    return unavailable or not outcome.lost


async def what_cannot_be_known_is_503(app: App, tenant: str, never_asked: str) -> None:
    """While storage is down, a wrong secret is still wrong; a tenant that was never asked for is not called unknown,
    and a signed assertion, which may have been used before, is neither taken nor called wrong.
    """
    wrong = {"client_id": app.client.client_id, "client_secret": "pgw_" + "A" * 43}
    assert await app.token(tenant, form=wrong) is None
    assert app.account.pop().status == 401
    for wanted, form in ((never_asked, None), (tenant, asserted(signed(app.client.client_id)))):
        assert await app.token(wanted, form=form) is None
        answer = app.account.pop()
        assert (answer.status, answer.retry_after) == (503, "5")
        assert orjson.loads(answer.text)["error"] == "temporarily_unavailable"


async def draw_and_read(app: App, tenants: list[str], number: int) -> None:
    tenant = tenants[number % len(tenants)]
    held = _tokens.setdefault(tenant, "")
    _tokens[tenant] = token = await app.token(tenant) or held
    await app.read(tenant, f"p{number % 12}", token)


_tokens: dict[str, str] = {}


async def draws(app: App, tenant: str) -> bool:
    return await app.token(tenant) is not None


async def says(app: App, line: str) -> bool:
    return await app.ready() == line
