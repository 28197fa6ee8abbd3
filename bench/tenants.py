"""The gateway under load: its tenants and client in a registry of their own, and tokens for them."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import requests

from gateway.registry import Client, Registry, Tenant
from gateway.registry.store import new_secret
from gateway.secrets import open_secret_store
from gateway.settings import Settings
from gateway.tokens import Keys
from gateway.tokens.keys import SIGNING_KEYS, KeyRing, SigningKey
from gateway.tokens.signer import sign
from gateway.versions import FhirVersion

R4_TENANT, STU3_TENANT, SLOW_TENANT = (str(UUID(int=number)) for number in (1, 2, 3))
_FIRST_OF_MANY = 1000
_AT_ONCE = 32


@dataclass(frozen=True)
class Gateway:
    """A registry that is set up, with what a caller and the function app need to know."""

    base_url: str
    """Where it is called."""
    environment: dict[str, str]
    """The settings of the function app."""
    client_id: str
    client_secret: str

    def form(self, tenant_id: str) -> str:
        """The body of a token request as the app sends it; the scope stands last."""
        return urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "scope": tenant_id,
            }
        )

    def draw_token(self, tenant_id: str) -> str:
        """A token from the running gateway."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = requests.post(f"{self.base_url}/oauth2/token", data=self.form(tenant_id), headers=headers, timeout=30)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def signing_key(self) -> SigningKey:
        text = (Path(self.environment["LOCAL_KEYS_DIR"]) / SIGNING_KEYS).read_text()
        return KeyRing.parse(text).signing(datetime.now(UTC))


def set_up(folder: Path, port: int, connection: str, upstream: str) -> Gateway:
    """Make keys, one client that may use every tenant, and the three tenants whose FHIR servers are at `upstream`."""
    environment = {
        # Not the upstream's host, as in life: else each answer seems to name that host after its rewriting, too.
        "PUBLIC_BASE_URL": f"http://localhost:{port}",
        "TABLES_CONNECTION": connection,
        "LOCAL_KEYS_DIR": str(folder / "keys"),
        "ALLOW_PRIVATE_UPSTREAMS": "true",
        "LOG_LEVEL": "INFO",
    }
    client, secret = asyncio.run(_set_up(_settings(environment), upstream))
    return Gateway(f"http://127.0.0.1:{port}", environment, client.client_id, secret)


async def _set_up(settings: Settings, upstream: str) -> tuple[Client, str]:
    registry, secrets = Registry.open(settings), open_secret_store(settings)
    keys = Keys(secrets)
    try:
        await registry.ensure_tables()
        await keys.ensure()
        expires = datetime.now(UTC) + timedelta(days=1)
        secret, value = new_secret(await keys.pepper(), expires=expires, description="benchmark")
        client = Client(name="Benchmark", tenants="*", secrets=(secret,))
        await registry.add_client(client)
        for tenant_id, base, version in (
            (R4_TENANT, "r4", FhirVersion.R4),
            (STU3_TENANT, "stu3", FhirVersion.STU3),
            (SLOW_TENANT, "stu3-slow", FhirVersion.STU3),
        ):
            # As many calls at once as the batches of 64 connections make.
            await registry.add_tenant(_tenant(tenant_id, f"{upstream}/{base}", version, 64 * 7))
    finally:
        await registry.close()
        await secrets.close()
    return client, value


def add_tenants(gateway: Gateway, upstream: str, numbers: Iterable[int]) -> None:
    """Register the tenants `many_tenants` names by these numbers, each with the R4 server of `upstream`."""
    asyncio.run(_add_tenants(_settings(gateway.environment), f"{upstream}/r4", iter(numbers)))


async def _add_tenants(settings: Settings, fhir_url: str, numbers: Iterable[int]) -> None:
    registry = Registry.open(settings)

    async def worker() -> None:
        # All workers take from the same iterator.
        for number in numbers:
            await registry.add_tenant(_tenant(many_tenants(number), fhir_url, FhirVersion.R4, 64))

    try:
        await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
    finally:
        await registry.close()


def many_tenants(number: int) -> str:
    """The id of the tenant of that number, from 0."""
    return str(UUID(int=_FIRST_OF_MANY + number))


def _tenant(tenant_id: str, fhir_url: str, version: FhirVersion, concurrency: int) -> Tenant:
    return Tenant(
        tenant_id=tenant_id,
        name=f"Example hospital {tenant_id[-12:]}",
        fhir_url=fhir_url,
        fhir_version=version,
        max_concurrency=concurrency,
    )


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def write_tokens(path: Path, count: int, like: str, key: SigningKey, tenants: Sequence[str] = ()) -> None:
    """Write `count` tokens, a line each, that differ from `like` in their `jti`, all of them signed anew.

    With `tenants` each is for the next of these, in turn, instead of the tenant of `like`.
    """
    claims = claims_of(like)
    own = claims["tenant"]
    batch = f"{datetime.now(UTC).timestamp():.6f}"
    with path.open("w") as file:
        for number, tenant in enumerate(islice(cycle(tenants or [own]), count)):
            changed = {"jti": f"{batch}.{number:x}", "tenant": tenant, "scope": claims["scope"].replace(own, tenant)}
            file.write(sign({**claims, **changed}, key) + "\n")


def _settings(environment: dict[str, str]) -> Settings:
    return Settings.model_validate({name.lower(): value for name, value in environment.items()})
