"""The gateway's own credentials before an authorization server that this project did not write. The FHIR server asks it
about every token, as resource servers do (RFC 7662).
"""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from gateway.registry import Tenant
from tests.functions.harness import Gateway, open_gateway
from tests.gateway.upstream.keys import ec_key, pem, rsa_key
from tests.upstreams.key_sets import key_set_server
from tests.upstreams.oidc_provider import Guard, running_oidc_provider
from tests.upstreams.server import emulate

pytestmark = pytest.mark.e2e

# RFC 6749 §2.3.1: in the Basic header both are form encoded, which these would not survive otherwise.
CLIENT_ID = "gateway:1"
SECRET = "a secret: 50%+/=&"  # of this test's server
METHODS = {"client-secret-post": "client_secret_post", "client-secret-basic": "client_secret_basic"}


@pytest.fixture
async def gateway(tables_connection: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(tables_connection, tmp_path) as opened:
        await opened.service.secrets.set("upstream", SECRET)
        yield opened


@pytest.mark.parametrize("kind", METHODS)
async def test_a_secret_is_taken(gateway: Gateway, tmp_path: Path, kind: str) -> None:
    clients = [{"client_id": CLIENT_ID, "method": METHODS[kind], "secret": SECRET}]
    with running_oidc_provider(clients, tmp_path / "log") as authority:
        async with emulate() as server:
            server.always = guard = Guard(authority)
            auth = {"kind": kind, "client_id": CLIENT_ID, "secret": "upstream", "scope": "system/*.rs"}
            tenant = await gateway.tenant(server.base_url, auth=auth)
            for _ in range(3):
                answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1")
                assert (answer.status, answer.json["id"]) == (200, "p1")
            told = guard.introspected[0]
            assert (told["client_id"], told["scope"], told["token_type"]) == (CLIENT_ID, "system/*.rs", "Bearer")
            assert len(set(guard.tokens)) == 1  # kept, not drawn each time

            await authority.revoke(guard.tokens[0])
            assert (await gateway.ask(tenant, "/fhir/r4/Patient/p1")).status == 200
            assert len(set(guard.tokens)) == 2


@pytest.mark.parametrize("kind", METHODS)
async def test_a_wrong_secret_is_the_gateways_trouble(gateway: Gateway, tmp_path: Path, kind: str) -> None:
    await gateway.service.secrets.set("wrong", "another secret")
    clients = [{"client_id": CLIENT_ID, "method": METHODS[kind], "secret": SECRET}]
    with running_oidc_provider(clients, tmp_path / "log") as authority:
        async with emulate() as server:
            server.always = guard = Guard(authority)
            auth = {"kind": kind, "client_id": CLIENT_ID, "secret": "wrong", "token_url": authority.token_url}
            tenant = await gateway.tenant(server.base_url, auth=auth)
            answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1")
            assert answer.status == 502
            assert "another secret" not in answer.body.decode()
            assert guard.tokens == []


@pytest.mark.parametrize("alg", ["RS384", "ES384"])
async def test_an_assertion_is_checked_by_the_key_set_that_the_gateway_hosts(
    gateway: Gateway, tmp_path: Path, alg: str
) -> None:
    """The server fetches the key set and checks signature, audience, life, and that no assertion comes twice."""
    tenant_id = str(uuid4())
    await gateway.service.secrets.set("key", pem(rsa_key() if alg == "RS384" else ec_key()))
    async with key_set_server(gateway) as keys, emulate() as server:
        jwks_uri = f"{keys}/oauth2/upstream-jwks/{tenant_id}"
        clients = [{"client_id": CLIENT_ID, "method": "private_key_jwt", "jwks_uri": jwks_uri, "alg": alg}]
        with running_oidc_provider(clients, tmp_path / "log") as authority:
            server.always = guard = Guard(authority)
            auth = {"kind": "private-key-jwt", "client_id": CLIENT_ID, "key": "key", "alg": alg, "scope": "system/*.rs"}
            row = {"tenant_id": tenant_id, "name": "A hospital", "fhir_url": server.base_url, "fhir_version": "r4"}
            await gateway.service.registry.add_tenant(Tenant.model_validate({**row, "auth": auth}))
            assert (await gateway.ask(tenant_id, "/fhir/r4/Patient/p1")).status == 200
            assert guard.introspected[0]["client_id"] == CLIENT_ID

            await authority.revoke(guard.tokens[0])  # the second assertion has an id of its own
            assert (await gateway.ask(tenant_id, "/fhir/r4/Patient/p1")).status == 200


async def test_a_key_that_the_server_does_not_know_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    """The client is registered with the key set of another tenant, which publishes nothing."""
    await gateway.service.secrets.set("key", pem(rsa_key()))
    async with key_set_server(gateway) as keys, emulate() as server:
        jwks_uri = f"{keys}/oauth2/upstream-jwks/{uuid4()}"
        clients = [{"client_id": CLIENT_ID, "method": "private_key_jwt", "jwks_uri": jwks_uri, "alg": "RS384"}]
        with running_oidc_provider(clients, tmp_path / "log") as authority:
            server.always = Guard(authority)
            auth = {"kind": "private-key-jwt", "client_id": CLIENT_ID, "key": "key"}
            tenant = await gateway.tenant(server.base_url, auth=auth)
            assert (await gateway.ask(tenant, "/fhir/r4/Patient/p1")).status == 502
