import asyncio
import base64
import time
from collections.abc import AsyncIterator
from itertools import count
from urllib.parse import parse_qs

import aiohttp
import pytest

from gateway.errors import UpstreamBroken
from gateway.settings import Settings
from gateway.upstream import Credentials, Upstream
from gateway.upstream.session import open_session
from tests.gateway.upstream.conftest import TENANT_ID, MemorySecrets, TenantOf
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.server import EmulatedServer, emulate

POST = {"kind": "client-secret-post", "client_id": "gw:1", "secret": "upstream"}
BASIC = {**POST, "kind": "client-secret-basic"}


@pytest.fixture
async def guarded() -> AsyncIterator[EmulatedServer]:
    async with emulate(Behaviour(token=True)) as server:
        yield server


async def read(upstream: Upstream, server: EmulatedServer, tenant_of: TenantOf, **auth: object) -> int:
    tenant = tenant_of(server, auth={"token_url": server.token_url, **auth})
    return (await upstream.send(tenant, "GET", "Patient/p1", {})).status


async def test_a_static_header_is_sent(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        tenant = tenant_of(server, auth={"kind": "header", "name": "X-Api-Key", "secret": "upstream"})
        await upstream.send(tenant, "GET", "Patient/p1", {})
        assert server.requests[0].headers["x-api-key"] == "emulator-secret"


async def test_basic_is_sent_in_utf8(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        tenant = tenant_of(server, auth={"kind": "basic", "username": "jürgen", "secret": "upstream"})
        await upstream.send(tenant, "GET", "Patient/p1", {})
        sent = server.requests[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == "jürgen:emulator-secret"


async def test_a_secret_goes_into_the_form(upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf) -> None:
    assert await read(upstream, guarded, tenant_of, **POST, scope="system/*.read", audience="ehr") == 200
    [request] = guarded.token_requests
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["gw:1"],
        "client_secret": ["emulator-secret"],
        "scope": ["system/*.read"],
        "audience": ["ehr"],
    }
    assert "authorization" not in request.headers


async def test_a_secret_goes_into_the_basic_header_form_encoded(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    assert await read(upstream, guarded, tenant_of, **BASIC) == 200
    [request] = guarded.token_requests
    sent = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == "gw%3A1:emulator-secret"
    assert "client_secret" not in request.body.decode()


async def test_the_token_endpoint_is_found_in_the_smart_configuration(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    guarded.faults.append(Configuration(guarded.token_url))
    assert (await upstream.send(tenant_of(guarded, auth=POST), "GET", "Patient/p1", {})).status == 200
    assert guarded.requests[0].path == "/fhir/.well-known/smart-configuration"


class Configuration:
    def __init__(self, token_url: str) -> None:
        self._token_url = token_url

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        del request
        return aiohttp.web.json_response({"token_endpoint": self._token_url})


async def test_a_token_may_come_in_two_packets(upstream: Upstream, tenant_of: TenantOf) -> None:
    class Slowly:
        async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
            response = aiohttp.web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            for part in (b'{"access_token":"in-two-', b'packets","expires_in":300}'):
                await response.write(part)
                await asyncio.sleep(0.01)
            return response

    async with emulate() as server:
        server.faults.append(Slowly())
        tenant = tenant_of(server, auth={**POST, "token_url": f"{server.base_url}/token"})
        assert (await upstream.send(tenant, "GET", "Patient/p1", {})).status == 200
        assert server.requests[1].headers["authorization"] == "Bearer in-two-packets"


async def test_a_hundred_requests_at_once_draw_one_token(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    guarded.token_delay = 0.05
    statuses = await asyncio.gather(*(read(upstream, guarded, tenant_of, **POST) for _ in range(100)))
    assert set(statuses) == {200}
    assert len(guarded.token_requests) == 1


async def test_a_refused_token_is_renewed_once_for_all(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    assert await read(upstream, guarded, tenant_of, **POST) == 200
    guarded.revoke_tokens()
    statuses = await asyncio.gather(*(read(upstream, guarded, tenant_of, **POST) for _ in range(50)))
    assert set(statuses) == {200}
    assert len(guarded.token_requests) == 2


async def test_a_server_that_refuses_every_token_is_asked_twice(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    class Forgetful:
        async def answer(self, request: aiohttp.web.Request) -> None:
            del request
            guarded.revoke_tokens()

    guarded.always = Forgetful()
    assert await read(upstream, guarded, tenant_of, **POST) == 401
    assert len(guarded.requests) == 2


async def test_a_token_is_renewed_shortly_before_it_ends(
    settings: Settings, secrets: MemorySecrets, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    now = 0.0
    async with open_session(settings) as session:
        upstream = Upstream(settings, session, Credentials(secrets, session, settings, lambda: now))
        for seconds, drawn in ((0.0, 1), (269.0, 1), (271.0, 2)):
            now = seconds
            assert await read(upstream, guarded, tenant_of, **POST) == 200
            assert len(guarded.token_requests) == drawn


@pytest.fixture
async def later(settings: Settings, secrets: MemorySecrets) -> AsyncIterator[Upstream]:
    """An upstream for whose credentials ten seconds pass at every look at the clock."""
    async with open_session(settings) as session:
        yield Upstream(settings, session, Credentials(secrets, session, settings, count(0, 10).__next__))


async def test_a_rotated_secret_works_at_once(
    later: Upstream, secrets: MemorySecrets, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    assert await read(later, guarded, tenant_of, **POST) == 200
    guarded.secret = secrets.values["upstream"] = "the-next-secret"
    guarded.revoke_tokens()
    assert await read(later, guarded, tenant_of, **POST) == 200
    assert secrets.asked == ["upstream", "upstream"]  # else it is kept: Key Vault counts requests


async def test_a_rotated_api_key_works_at_once(later: Upstream, secrets: MemorySecrets, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.always = KeyCheck()
        tenant = tenant_of(server, auth={"kind": "header", "name": "X-Api-Key", "secret": "upstream"})
        assert (await later.send(tenant, "GET", "Patient/p1", {})).status == 401
        assert len(server.requests) == 1  # nothing newer to try
        secrets.values["upstream"] = "new"
        assert (await later.send(tenant, "GET", "Patient/p1", {})).status == 200


async def test_refusals_in_a_row_do_not_hammer_the_secret_store(
    upstream: Upstream, secrets: MemorySecrets, tenant_of: TenantOf
) -> None:
    async with emulate() as server:
        server.always = KeyCheck()
        tenant = tenant_of(server, auth={"kind": "header", "name": "X-Api-Key", "secret": "upstream"})
        await asyncio.gather(*(upstream.send(tenant, "GET", "Patient/p1", {}) for _ in range(30)))
    assert len(secrets.asked) == 1


class KeyCheck:
    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse | None:
        return None if request.headers["X-Api-Key"] == "new" else aiohttp.web.Response(status=401)


async def test_a_wrong_secret_is_a_broken_upstream_that_tells_no_secret(
    upstream: Upstream, secrets: MemorySecrets, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    secrets.values["upstream"] = "wrong-secret"
    with pytest.raises(UpstreamBroken, match="refused the gateway's credential") as caught:
        await read(upstream, guarded, tenant_of, **POST)
    assert "wrong-secret" not in caught.value.public + caught.value.detail


async def test_a_secret_that_is_missing_is_a_broken_upstream(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    with pytest.raises(UpstreamBroken, match="not available"):
        await read(upstream, guarded, tenant_of, **{**POST, "secret": "nowhere"})


async def test_a_slow_token_endpoint_holds_up_its_own_tenant_only(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    guarded.token_delay = 3
    async with emulate(Behaviour(token=True)) as quick:
        waiting = asyncio.create_task(read(upstream, guarded, tenant_of, **POST))
        await asyncio.sleep(0.05)
        started = time.perf_counter()
        assert await read(upstream, quick, tenant_of, **POST) == 200
        assert time.perf_counter() - started < 0.5
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_those_who_wait_for_a_token_outlive_the_one_who_asked_first(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    guarded.token_delay = 0.1
    first = asyncio.create_task(read(upstream, guarded, tenant_of, **POST))
    await asyncio.sleep(0.03)
    second = asyncio.create_task(read(upstream, guarded, tenant_of, **POST))
    await asyncio.sleep(0.03)
    first.cancel()
    assert await second == 200
    assert len(guarded.token_requests) == 1


async def test_a_token_never_meets_another_tenant(
    upstream: Upstream, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    auth = {**POST, "token_url": guarded.token_url}
    for tenant_id in (TENANT_ID, "08c9ec0b-c1a7-48c9-9525-6e48b0eadfb1"):
        await upstream.send(tenant_of(guarded, auth=auth, tenant_id=tenant_id), "GET", "Patient/p1", {})
    first, second = (seen.headers["authorization"] for seen in guarded.requests)
    assert first != second


async def test_a_token_endpoint_at_a_private_address_is_not_asked(
    settings: Settings, secrets: MemorySecrets, guarded: EmulatedServer, tenant_of: TenantOf
) -> None:
    strict = settings.model_copy(update={"allow_private_upstreams": False})
    async with open_session(settings) as session:
        credentials = Credentials(secrets, session, strict)
        with pytest.raises(UpstreamBroken, match="token endpoint is at an address"):
            await credentials.headers(tenant_of(guarded, auth={**POST, "token_url": guarded.token_url}))
    assert guarded.token_requests == []
