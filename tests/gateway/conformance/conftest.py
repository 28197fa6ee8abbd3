from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.conformance import Options, Report, check_server
from gateway.conformance.unregistered import GivenSecrets
from gateway.registry.models import ClientSecretAuth, NoAuth
from gateway.settings import Settings
from local.sandbox.hospitals import OAuthAccess
from tests.functions.harness import Gateway, open_gateway
from tests.gateway.conformance.fake_server import Fault, able_hospital, resources_of, serve

type Checked = Callable[..., Awaitable[Report]]

OAUTH = OAuthAccess(token_path="/oauth2/token", client_id="check", client_secret="right", token_lifetime=300)


@pytest.fixture
def settings() -> Settings:
    return Settings(
        public_base_url="http://gateway.test",
        tables_connection=SecretStr("none"),
        allow_private_upstreams=True,
    )


@pytest.fixture
async def gateway(tables_connection: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(tables_connection, tmp_path / "keys") as opened:
        yield opened


@pytest.fixture
def checked(tmp_path: Path, settings: Settings) -> Checked:
    """Runs the check of one server with a fault; `secret` makes it ask for tokens."""

    async def run(
        fault: Fault, name: str = "northfield", *, secret: str = "", options: Options | None = None
    ) -> Report:
        resources = resources_of(name)
        fault.data(resources)
        hospital = able_hospital(name, tmp_path, resources)
        if secret:
            hospital = replace(hospital, access=OAUTH)
        async with serve(hospital, fault) as server:
            url = f"{server.root}{OAUTH.token_path}"
            auth = ClientSecretAuth(kind="client-secret-post", client_id="check", secret="given", token_url=url)
            tenant = server.tenant(name="A hospital", mrn_system=None, auth=auth if secret else NoAuth())
            secrets = GivenSecrets({"given": secret})
            return await check_server(tenant, tenant.fhir_version, settings, secrets, options or Options())

    return run
