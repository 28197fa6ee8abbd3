from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from gateway.audit import By
from gateway.errors import GatewayError
from gateway.manage.operations import Operations
from gateway.registry import Registry, Tenant
from gateway.secrets import FileSecretStore
from gateway.settings import Settings
from gateway.tokens import Keys
from gateway.upstream import UpstreamResponse


@dataclass
class Hospital:
    """Stands for the tenants' FHIR servers: answers `metadata` with the JSON, bytes, status or error of a test."""

    answer: object = field(default_factory=lambda: {"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"})
    asked: list[str] = field(default_factory=list)

    async def send(
        self, tenant: Tenant, method: str, path_and_query: str, headers: Mapping[str, str]
    ) -> UpstreamResponse:
        assert (method, path_and_query) == ("GET", "metadata")
        assert "json" in headers["accept"]
        self.asked.append(tenant.fhir_url)
        if isinstance(self.answer, GatewayError):
            raise self.answer
        if isinstance(self.answer, int):
            return UpstreamResponse(self.answer, {}, b"{}")
        return UpstreamResponse(200, {}, self.answer if isinstance(self.answer, bytes) else orjson.dumps(self.answer))


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture
def settings(tables_connection: str, tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "public_base_url": "https://gateway.example",
            "tables_connection": tables_connection,
            "local_keys_dir": tmp_path / "keys",
            "entra_tenant_id": "5b4c2f6e-3a52-4a0c-8d0a-6a3c1f0e9b11",
            "entra_client_id": "d2719f51-8f0b-4a53-9b0e-0c9f5d1a7e22",
        }
    )


@pytest.fixture
async def secrets(settings: Settings) -> FileSecretStore:
    return FileSecretStore(settings.local_keys_dir)


@pytest.fixture
async def keys(secrets: FileSecretStore) -> Keys:
    keys = Keys(secrets)
    await keys.ensure()
    return keys


@pytest.fixture
def changed() -> list[str]:
    return []


@pytest.fixture
def operations(
    settings: Settings,
    registry: Registry,
    secrets: FileSecretStore,
    keys: Keys,
    hospital: Hospital,
    changed: list[str],
) -> Operations:
    return Operations(settings, registry, secrets, keys, hospital, changed=changed.append)


@pytest.fixture
def by() -> By:
    return By("an operator", "cli", "c0ffee")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def tenant_fields() -> dict[str, Any]:
    return {
        "tenant_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "name": "Northfield Hospital",
        "fhir_url": "https://ehr.example/fhir",
        "fhir_version": "stu3",
    }
