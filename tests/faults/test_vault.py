"""Key Vault does not answer when keys, pepper and upstream credentials are to be read anew.

The service's time passes forty times as fast: keys are read once a minute, upstream credentials every five, and the
vault is gone for longer than that.
"""

import asyncio
import time
from pathlib import Path

import pytest

from tests.faults.app import App, eventually, open_app, tell, under_load
from tests.faults.rig import Storage, Workers, open_service, register, register_tenant, settings_for
from tests.faults.vault import Vault, running_vault
from tests.upstreams.server import EmulatedServer, emulate

pytestmark = pytest.mark.e2e

SPEED = 40
KEYS_SECONDS = 60 / SPEED
CREDENTIALS_SECONDS = 300 / SPEED
CREDENTIAL = "hospital-api-key"
DEGRADED = "200 degraded, keys down since"
UNAVAILABLE = "503 unavailable, keys down since"


async def test_key_vault_down_at_refresh(storage: Storage, workers: Workers, tmp_path: Path) -> None:
    variables = settings_for(storage, tmp_path)
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / CREDENTIAL).write_text("a-key")
    async with emulate() as hospital:
        async with open_service(variables) as service:
            client, _ = await register(service, [])
            auth = {"kind": "header", "name": "X-Api-Key", "secret": CREDENTIAL}
            tenant = await register_tenant(service, "Hospital", hospital.base_url, auth=auth)
        values = {file.name: file.read_text() for file in keys.iterdir()}
        async with running_vault(tmp_path, values) as vault:
            clock = ("--speed", str(SPEED), "--since", str(time.time()))
            worker = await asyncio.to_thread(workers.start, variables | vault.variables, clock=clock)
            async with open_app(client, worker.base_url) as app:
                await outage(app, tenant, vault, hospital)
            late = await asyncio.to_thread(workers.start, variables | vault.variables, clock=clock)
            async with open_app(client, late.base_url) as app:
                await never_read(app, tenant, vault)


async def outage(app: App, tenant: str, vault: Vault, hospital: EmulatedServer) -> None:
    async def draw_and_read(number: int) -> None:
        if token := await app.token(tenant):
            await app.read(tenant, f"p{number % 12}", token)

    assert await app.token(tenant) is not None
    assert vault.challenged, "the vault was to be met as Azure's: first without a token"
    async with under_load(draw_and_read, callers=8, rest=0.01):
        await asyncio.sleep(KEYS_SECONDS)
        vault.cut()
        answered, gone = vault.answered, time.monotonic()
        told = await eventually(lambda: says(app, DEGRADED), seconds=4 * KEYS_SECONDS, what="ready tells")
        await asyncio.sleep(CREDENTIALS_SECONDS + 2 - told)
        assert vault.answered == answered
        vault.up = True
        away = time.monotonic() - gone
        back = await eventually(lambda: says(app, "200 ok"), seconds=8 * KEYS_SECONDS, what="ready again")
        await eventually(lambda: reads_again(vault, answered), seconds=5, what="the vault is read again")
        await asyncio.sleep(0.5)
    assert {request.headers.get("x-api-key") for request in hospital.requests} == {"a-key"}
    lost = [each for each in app.account if each.lost]
    tried = (
        f"{len(app.account)} requests, the vault gone for {away * SPEED / 60:.1f} minutes of the service's time, told "
        f"by ready after {told:.1f} s, well again {back:.1f} s after"
    )
    tell("Key Vault", tried, lost)


async def never_read(app: App, tenant: str, vault: Vault) -> None:
    """An instance that starts while the vault is away answers 503, and serves as soon as it is back."""
    vault.cut()
    assert await app.token(tenant) is None
    refused = app.account.pop()
    assert await app.ready() == UNAVAILABLE
    vault.up = True
    back = await eventually(lambda: draws(app, tenant), seconds=10, what="tokens are drawn")
    lost = [] if (refused.status, refused.right, refused.retry_after) == (503, True, "5") else [refused]
    tell("Key Vault, at the start", f"a clear 503, tokens {back:.1f} s after it was back", lost)


async def draws(app: App, tenant: str) -> bool:
    return await app.token(tenant) is not None


async def says(app: App, line: str) -> bool:
    return await app.ready() == line


async def reads_again(vault: Vault, before: int) -> bool:
    return vault.answered > before
