from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from gateway.registry import Tenant
from gateway.secrets import SecretMissing
from gateway.settings import Settings
from gateway.upstream import Credentials, Upstream
from gateway.upstream.session import open_session
from gateway.versions import FhirVersion
from tests.upstreams.server import EmulatedServer

TENANT_ID = "1b8e7a40-d723-42a6-8083-3763eb820fcf"

type TenantOf = Callable[..., Tenant]


class MemorySecrets:
    """A secret store that counts how often it is asked."""

    def __init__(self, **values: str) -> None:
        self.values = {name.replace("_", "-"): value for name, value in values.items()}
        self.asked: list[str] = []

    async def get(self, name: str) -> str:
        self.asked.append(name)
        if name not in self.values:
            raise SecretMissing(f"no secret named {name}")
        return self.values[name]

    async def set(self, name: str, value: str) -> None:
        self.values[name] = value

    async def close(self) -> None:
        pass


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        public_base_url=HttpUrl("https://gateway.example"),
        tables_connection=SecretStr("UseDevelopmentStorage=true"),
        local_keys_dir=tmp_path,
        allow_private_upstreams=True,
        upstream_timeout_seconds=5,
    )


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets(upstream="emulator-secret")


@pytest.fixture
async def upstream(settings: Settings, secrets: MemorySecrets) -> AsyncIterator[Upstream]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(settings))
        yield Upstream(settings, session, Credentials(secrets, session, settings))


@pytest.fixture
def tenant_of() -> TenantOf:
    def make(server: EmulatedServer, system: str = "generic", **fields: object) -> Tenant:
        return Tenant.model_validate(
            {
                "tenant_id": TENANT_ID,
                "name": "Emulated",
                "fhir_url": server.base_url,
                "fhir_version": FhirVersion(server.behaviour.version),
                "system": system,
                **fields,
            }
        )

    return make
