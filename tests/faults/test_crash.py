"""The worker is killed with requests under way: changes of the registry, tokens and reads."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from gateway.audit.verify import verify
from gateway.manage.operators import issue_operator_token
from gateway.service import Service
from tests.faults.app import App, open_app, tell, under_load
from tests.faults.rig import Storage, Workers, gateway, open_service, register, settings_for
from tests.upstreams.server import emulate

pytestmark = pytest.mark.e2e

ROUNDS = 3
WRITERS = 8
WORK_SECONDS = 1.5


@dataclass
class Row:
    """A tenant or client of one writer. `known`: its notes (a client: its name) as last acknowledged, None when it is
    not there. `wanted`: what the request that got no answer would have left, in a list of one.
    """

    kind: str
    id: str = field(default_factory=lambda: str(uuid4()))
    known: str | None = None
    wanted: list[str | None] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)


async def test_a_killed_worker_leaves_nothing_half_done(storage: Storage, workers: Workers, tmp_path: Path) -> None:
    variables = settings_for(storage, tmp_path, CACHE_TTL_SECONDS="1")
    rows: list[Row] = []
    lost: list[object] = []
    async with emulate() as hospital:
        async with open_service(variables) as service:
            client, tenants = await register(service, [hospital.base_url] * 2)
            operator = await issue_operator_token(service.secrets)
        worker = await asyncio.to_thread(workers.start, variables)
        port = int(worker.base_url.rpartition(":")[2])
        async with open_app(client, worker.base_url) as app, open_writer(worker.base_url, operator) as session:
            for _ in range(ROUNDS):
                token = await app.token(tenants[0])
                assert token is not None
                mine = [Row(kind) for kind in ("tenant", "client") for _ in range(WRITERS // 2)]
                rows += mine
                writing = [asyncio.ensure_future(write(session, row, rows, hospital.base_url)) for row in mine]
                async with under_load(lambda number: use(app, tenants, number), callers=4):
                    await asyncio.sleep(WORK_SECONDS)
                    worker.kill()
                    await asyncio.gather(*writing)
                async with open_service(variables) as service:
                    lost += await what_is_wrong(service, rows)
                verified = json.loads(await asyncio.to_thread(gateway, variables, "audit", "verify", "--json"))
                lost += verified["findings"]
                worker = await asyncio.to_thread(workers.start, variables, port=port)
                app.account.clear()
                await app.read(tenants[0], "p0", token)
                for number in range(4):
                    await use(app, tenants, number)
                lost += [each for each in app.account if each.lost]
            half_done = sum(bool(row.wanted) for row in rows)
            for row in rows:
                lost += await again(session, row, hospital.base_url, app, tenants[0])
        async with open_service(variables) as service:
            lost += await what_is_wrong(service, rows)
    assert half_done
    tried = f"{ROUNDS} times with {half_done} of {len(rows)} rows being changed, each then changed again"
    tell("killed worker", tried, lost)


@asynccontextmanager
async def open_writer(base_url: str, operator: str) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {operator}"}
    async with aiohttp.ClientSession(f"{base_url}/manage/v1/", headers=headers) as session:
        yield session


async def write(session: aiohttp.ClientSession, row: Row, rows: list[Row], fhir_url: str) -> None:
    """Make the row, change it, remove it and begin with another, until the service is gone."""
    while True:
        steps: list[str | None] = ["first", "second", "third", None]
        for step in steps:
            if not await change(session, row, step, fhir_url):
                return
        row = Row(row.kind)
        rows.append(row)


async def change(session: aiohttp.ClientSession, row: Row, wanted: str | None, fhir_url: str) -> bool:
    """One change by the management API; False when it got no answer."""
    row.wanted = [wanted]
    place = f"{row.kind}s/{row.id}"
    try:
        if wanted is None:
            answer = await told(session, "DELETE", place, None)
        elif row.known is None:
            answer = await told(session, "POST", f"{row.kind}s", new(row, wanted, fhir_url))
        else:
            answer = await told(session, "PATCH", place, {"notes" if row.kind == "tenant" else "name": wanted})
    except aiohttp.ClientError:
        return False
    if secret := answer.get("client_secret"):
        row.secrets.append(secret)
    row.known, row.wanted = wanted, []
    return True


def new(row: Row, wanted: str, fhir_url: str) -> dict[str, Any]:
    if row.kind == "client":
        return {"client_id": row.id, "name": wanted, "tenants": "*"}
    return {"tenant_id": row.id, "name": "A hospital", "fhir_url": fhir_url, "fhir_version": "r4", "notes": wanted}


async def told(session: aiohttp.ClientSession, method: str, place: str, body: object) -> dict[str, Any]:
    async with session.request(method, place, json=body) as answer:
        text = await answer.text()
        assert answer.status in (200, 201, 204), f"{method} {place}: {answer.status} {text}"
        return dict(json.loads(text)) if text else {}


async def use(app: App, tenants: list[str], number: int) -> None:
    tenant = tenants[number % len(tenants)]
    if token := await app.token(tenant):
        await app.read(tenant, f"p{number % 12}", token)
    else:
        await asyncio.sleep(0.05)


async def what_is_wrong(service: Service, rows: list[Row]) -> list[str]:
    """Every row can be read, and is what was acknowledged last or what the unanswered request wanted, whole. What the
    audit reports, once nothing can still be under way, are at most rows with such a request.
    """
    found = {stored.value.tenant_id: stored.value.notes async for stored in service.registry.tenants()}
    found |= {stored.value.client_id: stored.value.name async for stored in service.registry.clients()}
    wrong = [
        f"{row.kind} {row.id} is {found.get(row.id)}, known as {row.known}, wanted {row.wanted}"
        for row in rows
        if found.get(row.id) not in (row.known, *row.wanted)
    ]
    later = datetime.now(UTC) + timedelta(minutes=5)
    report = await verify(service.operations.trail, service.registry, await service.keys.pepper(), at=later)
    open_rows = {row.id for row in rows if row.wanted}
    return wrong + [each.text for each in report.findings if not any(row_id in each.text for row_id in open_rows)]


async def again(session: aiohttp.ClientSession, row: Row, fhir_url: str, app: App, tenant: str) -> list[str]:
    """The change that got no answer, once more; a client's secret that was shown works."""
    if row.wanted:
        [wanted] = row.wanted
        found = await session.get(f"{row.kind}s/{row.id}")
        found.release()
        row.known = "whatever" if found.status == 200 else None
        if (wanted, row.known) != (None, None):
            await change(session, row, wanted, fhir_url)
        row.known, row.wanted = wanted, []
    if row.kind == "client" and row.known is not None:
        for secret in row.secrets:
            if await app.token(tenant, form={"client_id": row.id, "client_secret": secret}) is None:
                return [f"a secret of client {row.id} that was shown does not work"]
    return []
