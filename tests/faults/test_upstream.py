"""A hospital's server resets, cuts off, garbles and dribbles its answers."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.faults.app import App, Outcome, eventually, open_app, tell, under_load
from tests.faults.broken import CutShort, Trickle, Unasked
from tests.faults.rig import Storage, Worker, Workers, open_service, register, settings_for
from tests.upstreams.faults import Fault, Html, Reset, Status, Truncated
from tests.upstreams.server import EmulatedServer, emulate

pytestmark = pytest.mark.e2e

TIMEOUT = 2
SCHEDULING_SECONDS = 1.5
BROKEN: dict[str, tuple[Fault, int]] = {
    "reset before the answer": (Reset(), 502),
    "reset in the body": (Reset(mid_body=True), 502),
    "closed before the announced end": (CutShort(announced=True), 502),
    "closed before the last chunk": (CutShort(announced=False), 502),
    "half a JSON document": (Truncated(), 502),
    "an HTML page": (Html(), 502),
    "byte by byte": (Trickle(0.05), 504),
}
SEED = 20261124
MIXED_SECONDS = 5
CALLERS = 16


async def test_a_server_that_breaks_off_its_answers(storage: Storage, workers: Workers, tmp_path: Path) -> None:
    variables = settings_for(storage, tmp_path, UPSTREAM_TIMEOUT_SECONDS=str(TIMEOUT))
    async with emulate() as hospital:
        async with open_service(variables) as service:
            client, (tenant, neighbour) = await register(service, [hospital.base_url] * 2)
        worker = await asyncio.to_thread(workers.start, variables)
        async with open_app(client, worker.base_url) as app:
            token, foreign = await app.token(tenant), await app.token(neighbour)
            assert token is not None
            assert foreign is not None
            # First, while the pool has one connection: the next request must meet it.
            await nobody_asked(app, hospital, (tenant, token), (neighbour, foreign))
            await one_by_one(app, hospital, tenant, token)
            await all_at_once(app, hospital, worker, tenant, token)


async def one_by_one(app: App, hospital: EmulatedServer, tenant: str, token: str) -> None:
    """Each fault by itself: the status that says so, in time, and the next request is well."""
    lost: list[object] = []
    for name, (fault, status) in BROKEN.items():
        hospital.always = fault
        outcome = await app.read(tenant, "p0", token)
        hospital.always = None
        if outcome.status != status or not outcome.right or outcome.seconds > TIMEOUT + SCHEDULING_SECONDS:
            lost.append(f"{name}: {outcome}")
        lost += [f"after {name}: {each}" for each in await well(app, tenant, token) if each.lost]
    tell("broken answers", f"{len(BROKEN)} ways, each told by its status, the next eight requests well", lost)


async def all_at_once(app: App, hospital: EmulatedServer, worker: Worker, tenant: str, token: str) -> None:
    """Faults drawn at random between good answers: nobody gets a part of one, or somebody else's; no connection and
    no file stays behind.
    """
    before = worker.open_files
    app.account.clear()
    draw = random.Random(SEED)  # noqa: S311  # the same faults each time
    faults = [fault for fault, _ in BROKEN.values()] + [Status(503), Status(200, body="[]")]

    async def ask(number: int) -> None:
        if draw.random() < 0.5:
            hospital.faults.append(draw.choice(faults))
        await app.read(tenant, f"p{number % 12}", token)

    async with under_load(ask, callers=CALLERS, rest=0.02):
        await asyncio.sleep(MIXED_SECONDS)
    hospital.faults.clear()
    account = list(app.account)
    back = await eventually(lambda: answers(app, tenant, token), seconds=15, what="the circuit closes")
    lost = [each for each in account if not each.right or each.status not in (200, 502, 503, 504)]
    lost += [each for each in await well(app, tenant, token) if each.lost]
    whole = sum(not each.lost for each in account)
    assert 0 < whole < len(account)
    tried = f"{len(account)} requests amid faults, {whole} of them answered whole, back after {back:.1f} s"
    tell("broken answers, mixed", tried, lost)
    # Idle connections to the hospital and to the callers, none for each of the hundred that broke.
    assert worker.open_files <= before + 2 * CALLERS


async def nobody_asked(app: App, hospital: EmulatedServer, one: tuple[str, str], other: tuple[str, str]) -> None:
    """Answers that nobody asked for, on a connection that the pool keeps: the next request must not take them for its
    own, least of all another tenant's at the same server.
    """
    lost: list[object] = []
    planted = b'{"resourceType":"Patient","id":"p2","gender":"unknown"}'
    for late in (0.02, 0.1, 0.3):
        hospital.faults.append(Unasked(late, planted))
        first = await app.read(*_asked(one, "p1"))
        await asyncio.sleep(late + 0.1)
        second = await app.read(*_asked(other, "p2"))
        hospital.faults.clear()
        asked = [request.path.rpartition("/")[2] for request in hospital.requests[-2:]]
        if first.lost or second.lost or asked != ["p1", "p2"]:
            lost.append(f"late by {late} s: {first}, {second}, the server was asked for {asked}")
    tell("answers that nobody asked for", "three, on connections that are kept", lost)


def _asked(who: tuple[str, str], patient: str) -> tuple[str, str, str]:
    tenant, token = who
    return tenant, patient, token


async def well(app: App, tenant: str, token: str) -> list[Outcome]:
    return list(await asyncio.gather(*(app.read(tenant, f"p{number}", token) for number in range(8))))


async def answers(app: App, tenant: str, token: str) -> bool:
    return not (await app.read(tenant, "p0", token)).lost
