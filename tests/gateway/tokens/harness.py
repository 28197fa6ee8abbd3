"""The real function app in this process, on real Table Storage (Azurite), with one client and one tenant."""

import base64
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.registry import Client, Tenant
from gateway.service import Service
from gateway.versions import FhirVersion
from local.worker.client import Client as Caller
from local.worker.client import ClientResponse
from tests.running_app import running_app

BASE_URL = "https://gateway.example"
TOKEN_URL = f"{BASE_URL}/oauth2/token"
FORM = "application/x-www-form-urlencoded"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TENANT = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2a01"
OTHER_TENANT = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2a02"
DISABLED_TENANT = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2a03"
UNKNOWN_TENANT = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2a04"
NOT_SUPPORTED = "/fhir/r4/Patient/1/$everything"
# Nothing listens there.
NOBODY = "http://127.0.0.1:9/fhir"

KEYS: dict[str, tuple[str, Any]] = {
    "es256": ("ES256", ec.generate_private_key(ec.SECP256R1())),
    "es384": ("ES384", ec.generate_private_key(ec.SECP384R1())),
    "rs384": ("RS384", rsa.generate_private_key(65537, 2048)),
}
STRANGER = ec.generate_private_key(ec.SECP384R1())


def public_jwks(*names: str) -> dict[str, object]:
    keys = []
    for name in names:
        algorithm, key = KEYS[name]
        public = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
        public.pop("key_ops", None)
        keys.append({**public, "kid": name, "alg": algorithm})
    return {"keys": keys}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Credentials:
    client_id: str
    secret: str
    secret_id: str


@dataclass
class Gateway:
    caller: Caller
    service: Service
    app: Credentials
    """May use TENANT only."""
    many: Credentials
    """May use every tenant, and signs assertions with every key of KEYS."""

    async def post(
        self, form: Mapping[str, str] | str, headers: Mapping[str, str] | None = None, path: str = "/oauth2/token"
    ) -> ClientResponse:
        body = form if isinstance(form, str) else urlencode(form)
        return await self.caller.request(
            "POST", path, headers={"content-type": FORM, **(headers or {})}, body=body.encode()
        )

    def form(self, **fields: str) -> dict[str, str]:
        """A right request by `client_secret_post`, with these fields changed."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.app.client_id,
            "client_secret": self.app.secret,
            "scope": TENANT,
            **fields,
        }

    def assertion(self, key: str = "es384", /, header: Mapping[str, Any] | None = None, **claims: object) -> str:
        """A right assertion of `many`, with these claims changed (None: left out)."""
        algorithm, private_key = KEYS[key]
        at = int(time.time())
        content = {
            "iss": self.many.client_id,
            "sub": self.many.client_id,
            "aud": TOKEN_URL,
            "exp": at + 240,
            "iat": at,
            "jti": str(uuid4()),
            **claims,
        }
        content = {name: value for name, value in content.items() if value is not None}
        headers = {name: value for name, value in {"kid": key, **(header or {})}.items() if value is not None}
        return jwt.encode(content, private_key, algorithm, headers=headers)

    def asserted(self, assertion: str, **fields: str) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "scope": TENANT,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **fields,
        }

    async def token(self, **fields: str) -> str:
        answer = await self.post(self.form(**fields))
        assert answer.status == 200, answer.body
        return str(orjson.loads(answer.body)["access_token"])

    async def use(self, token: str, path: str = NOT_SUPPORTED) -> ClientResponse:
        """By default ask for what the gateway refuses once it knows the token: 405, without an upstream."""
        return await self.caller.request("GET", path, headers={"authorization": f"Bearer {token}"})


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def tenant(tenant_id: str, *, enabled: bool = True) -> Tenant:
    return Tenant(tenant_id=tenant_id, name="A hospital", fhir_url=NOBODY, fhir_version=FhirVersion.R4, enabled=enabled)


@asynccontextmanager
async def open_gateway(
    tables_connection: str, keys: Path, *, like: Gateway | None = None, **settings: str
) -> AsyncIterator[Gateway]:
    """An app with its clients and tenants registered; or, `like` one that has them, a second instance of it."""
    environment = {"TABLES_CONNECTION": tables_connection, "LOCAL_KEYS_DIR": str(keys), **settings}
    async with running_app(BASE_URL, environment) as (application, service):
        caller = Caller(application)
        yield Gateway(caller, service, like.app, like.many) if like else await _populated(caller, service)


async def _populated(caller: Caller, service: Service) -> Gateway:
    registry = service.registry
    await registry.ensure_tables()
    await service.keys.ensure()
    await registry.add_tenant(tenant(TENANT))
    await registry.add_tenant(tenant(OTHER_TENANT))
    await registry.add_tenant(tenant(DISABLED_TENANT, enabled=False))
    app = await add_client(service, Client(name="App", tenants=(TENANT,)))
    many = await add_client(service, Client(name="Another", tenants="*", jwks=public_jwks("es256", "es384", "rs384")))
    return Gateway(caller, service, app, many)


async def add_client(service: Service, client: Client) -> Credentials:
    await service.registry.add_client(client)
    secret, value = await service.registry.add_secret(
        client.client_id, await service.keys.pepper(), expires=datetime.now(UTC) + timedelta(days=1)
    )
    return Credentials(client.client_id, value, secret.secret_id)
