"""Instances whose clocks differ, clients whose clocks are wrong, and a hospital that takes every second seriously."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.faults.app import App, eventually, open_app, tell
from tests.faults.assertions import KEY, asserted, key_set, signed
from tests.faults.rig import Storage, Workers, open_service, register, register_tenant, settings_for
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.server import EmulatedServer, emulate

pytestmark = pytest.mark.e2e

TTL = 1
# RFC 7523 leaves the leeway to the server; 30 s of a client's is what the service grants.
A_LITTLE = 20
# As much as instances may differ in their clocks.
A_LOT = 140


async def test_clocks_that_differ(storage: Storage, workers: Workers, tmp_path: Path) -> None:
    variables = settings_for(storage, tmp_path, CACHE_TTL_SECONDS=str(TTL))
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "upstream-key").write_bytes(pem)
    async with emulate(Behaviour(token=True)) as strict, emulate() as easy:
        async with open_service(variables) as service:
            client, (tenant,) = await register(service, [easy.base_url], jwks=key_set())
            auth = {"kind": "private-key-jwt", "client_id": "gateway", "key": "upstream-key", "alg": "ES384"}
            auth |= {"token_url": strict.token_url}
            guarded = await register_tenant(service, "Strict hospital", strict.base_url, auth=auth)
        early, late, ahead, behind = await asyncio.gather(
            *(
                asyncio.to_thread(workers.start, variables, clock=("--ahead", str(seconds)))
                for seconds in (A_LITTLE, -A_LITTLE, A_LOT, -A_LOT)
            )
        )
        async with open_app(client, early.base_url, late.base_url) as app:
            await tokens_of_other_instances(app, tenant, ahead.base_url, behind.base_url)
            await assertions_of_clients(app, tenant, early.base_url, late.base_url)
            await at_the_hospital(app, strict, guarded)


async def tokens_of_other_instances(app: App, tenant: str, ahead: str, behind: str) -> None:
    """A token is good where the clock is minutes off, and revoked everywhere soon after it was anywhere."""
    lost: list[object] = []
    for issued, used in ((ahead, behind), (behind, ahead)):
        token = await app.token(tenant, at=issued)
        assert token is not None
        lost += [outcome for outcome in [await app.read(tenant, "p1", token, at=used)] if outcome.lost]
        form = {"token": token, "client_id": app.client.client_id, "client_secret": app.client.secret}
        async with app.session.post(f"{issued}/oauth2/revoke", data=form) as answer:
            assert answer.status == 200
        try:
            await eventually(partial(refused, app, tenant, token, used), seconds=4 * TTL, what="refused")
        except AssertionError as error:
            lost.append(f"{error}, although revoked")
    tell("instances' clocks", f"tokens and revocations between instances {2 * A_LOT} s apart, both ways", lost)


async def refused(app: App, tenant: str, token: str, at: str) -> bool:
    return (await app.read(tenant, "p1", token, at=at)).status == 401


async def assertions_of_clients(app: App, tenant: str, early: str, late: str) -> None:
    """What an honest client with a right clock signs is taken by instances that are a little early or late, once;
    what is out of its time is 401, whatever its numbers.
    """
    lost: list[object] = []
    for number, instance in enumerate((early, late)):
        assertion = signed(app.client.client_id, iat=int(time.time()), exp=int(time.time()) + 300 - 60 * number)
        if await app.token(tenant, at=instance, form=asserted(assertion)) is None:
            lost.append(f"a client with a right clock: {app.account[-1]}")
        other = late if instance == early else early
        if await app.token(tenant, at=other, form=asserted(assertion)) is not None:
            lost.append("an assertion was good twice")
    at = int(time.time())
    wrong: list[dict[str, Any]] = [
        {"iat": at - 400, "exp": at - 100},
        {"iat": at + 120, "exp": at + 200},
        {"exp": at + 3600},
        {"exp": 1e300},
        {"exp": -(2**63)},
        {"iat": at - 10**10, "exp": at + 10**18},
        {"nbf": at + 3600, "exp": at + 200},
    ]
    for claims in wrong:
        for instance in (early, late):
            await app.token(tenant, at=instance, form=asserted(signed(app.client.client_id, **claims)))
            if app.account[-1].status not in (401, 429):
                lost.append(f"{claims}: {app.account[-1]}")
    tried = f"instances {A_LITTLE} s early and late, {len(wrong)} assertions out of their time"
    tell("clients' clocks", tried, lost)


async def at_the_hospital(app: App, hospital: EmulatedServer, tenant: str) -> None:
    """What the gateway signed for the hospital's token endpoint, checked to the second: SMART Backend Services wants
    `exp` within five minutes, RFC 7519 §4.1.6 lets a server refuse what was issued in the future.
    """
    lost: list[object] = []
    for instance in app.instances:
        token = await app.token(tenant)
        assert token is not None
        assert not (await app.read(tenant, "p1", token, at=instance)).lost
    asked = [parse_qs(request.body.decode())["client_assertion"][0] for request in hospital.token_requests]
    for assertion in asked:
        claims = jwt.decode(assertion, options={"verify_signature": False})
        at = time.time()
        if not claims.get("iat", 0) <= at < claims["exp"] <= at + 300:
            lost.append(f"iat is {claims['iat'] - at:.0f} s, exp {claims['exp'] - at:.0f} s from now")
    assert len(asked) == 2
    tell("hospital's clock", f"{len(asked)} assertions of instances {A_LITTLE} s early and late", lost)
