"""azure-identity itself runs, against a stand-in for App Service's identity endpoint, held to what is documented of it
(App Service, "How to use managed identities", REST endpoint reference): `GET IDENTITY_ENDPOINT?resource=…&
api-version=2019-08-01[&client_id=…]` with the header X-IDENTITY-HEADER; the answer's `expires_on` is Unix time as text.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from gateway.errors import UpstreamBroken
from gateway.registry import Tenant
from gateway.settings import Settings
from gateway.upstream import Credentials, Upstream
from gateway.upstream.session import open_session
from tests.gateway.upstream.conftest import MemorySecrets, TenantOf
from tests.upstreams.faults import Status
from tests.upstreams.server import EmulatedServer, emulate

HEADER = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a"
USER_ASSIGNED = "5e29463d-71da-4fe0-8e69-999b57db23b0"


@dataclass
class IdentityEndpoint:
    """Refuses whatever the real one documents as wrong."""

    resource: str
    life: int = 3600
    asked: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("X-IDENTITY-HEADER") != HEADER:
            return _refused(401, "the identity header is missing or wrong")
        query = dict(request.query)
        self.asked.append(query)
        if query.get("api-version") != "2019-08-01":
            return _refused(400, "unsupported api-version")
        if query.get("client_id") not in (None, USER_ASSIGNED) or query.get("resource") != self.resource:
            return _refused(400, "no such identity or resource")
        identity = "user" if "client_id" in query else "system"
        return web.json_response(
            {
                "access_token": f"{identity}-{len(self.asked)}",
                "expires_on": str(int(time.time()) + self.life),
                "resource": self.resource,
                "token_type": "Bearer",
                "client_id": query.get("client_id", "5E29463D-71DA-4FE0-8E69-999B57DB23B1"),
            }
        )


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)


@pytest.fixture
async def server() -> AsyncIterator[EmulatedServer]:
    async with emulate() as emulated:
        yield emulated


@pytest.fixture
async def endpoint(server: EmulatedServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[IdentityEndpoint]:
    stand_in = IdentityEndpoint(server.base_url)
    application = web.Application()
    application.router.add_get("/msi/token/", stand_in.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{runner.addresses[0][1]}/msi/token/")
    monkeypatch.setenv("IDENTITY_HEADER", HEADER)
    yield stand_in
    await runner.cleanup()


@pytest.fixture
async def credentials(settings: Settings) -> AsyncIterator[Credentials]:
    async with open_session(settings) as session:
        yield Credentials(MemorySecrets(), session, settings)


def hospital(tenant_of: TenantOf, server: EmulatedServer, **auth: str) -> Tenant:
    return tenant_of(server, "azure", auth={"kind": "entra", **auth})


@pytest.mark.parametrize(("auth", "token"), [({}, "system-1"), ({"client_id": USER_ASSIGNED}, "user-1")])
async def test_the_apps_own_identity_is_shown_to_the_server(
    auth: dict[str, str],
    token: str,
    upstream: Upstream,
    server: EmulatedServer,
    endpoint: IdentityEndpoint,
    tenant_of: TenantOf,
) -> None:
    tenant = hospital(tenant_of, server, **auth)
    for _ in range(3):
        assert (await upstream.send(tenant, "GET", "Patient/p1", {})).status == 200
    assert {seen.headers["authorization"] for seen in server.requests} == {f"Bearer {token}"}
    [asked] = endpoint.asked  # once for the three
    expected = {"api-version": "2019-08-01", "resource": server.base_url, **auth}
    assert asked == expected


async def test_a_refused_token_is_drawn_anew(
    upstream: Upstream, server: EmulatedServer, endpoint: IdentityEndpoint, tenant_of: TenantOf
) -> None:
    server.faults.append(Status(401))
    assert (await upstream.send(hospital(tenant_of, server), "GET", "Patient/p1", {})).status == 200
    assert [seen.headers["authorization"] for seen in server.requests] == ["Bearer system-1", "Bearer system-2"]
    assert len(endpoint.asked) == 2


async def test_another_scope_is_another_resource(
    server: EmulatedServer, endpoint: IdentityEndpoint, credentials: Credentials, tenant_of: TenantOf
) -> None:
    endpoint.resource = "https://ws-fhir.fhir.azurehealthcareapis.com"
    tenant = hospital(tenant_of, server, scope=f"{endpoint.resource}/.default")
    assert await credentials.headers(tenant) == {"Authorization": "Bearer system-1"}


async def test_both_identities_side_by_side_keep_their_tokens(
    server: EmulatedServer, endpoint: IdentityEndpoint, credentials: Credentials, tenant_of: TenantOf
) -> None:
    own, assigned = hospital(tenant_of, server), hospital(tenant_of, server, client_id=USER_ASSIGNED)
    for _ in range(2):
        assert await credentials.headers(own) == {"Authorization": "Bearer system-1"}
        assert await credentials.headers(assigned) == {"Authorization": "Bearer user-2"}
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("wrong", ["header", "identity"])
async def test_an_app_without_identity_is_a_broken_upstream(
    wrong: str,
    server: EmulatedServer,
    endpoint: IdentityEndpoint,
    credentials: Credentials,
    tenant_of: TenantOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del endpoint
    if wrong == "header":
        monkeypatch.setenv("IDENTITY_HEADER", "another")
    auth = {"client_id": "00000000-0000-0000-0000-000000000000"} if wrong == "identity" else {}
    with pytest.raises(UpstreamBroken, match="no managed identity"):
        await credentials.headers(hospital(tenant_of, server, **auth))
    assert server.requests == []
