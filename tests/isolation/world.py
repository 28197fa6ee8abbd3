"""The real app before three hospitals, and the one rule of this folder: an answer to a tenant's token shows that
tenant's hospital and no other.
"""

import asyncio
import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from gateway.registry import Client, Tenant
from gateway.service import Service
from gateway.versions import FhirVersion
from local.worker.client import Client as Caller
from tests.isolation.hospitals import HOST, KEY_HEADER, Hospital, Ward, ward
from tests.running_app import running_app

BASE_URL = "https://gateway.example"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class App:
    """A client of the token endpoint."""

    name: str
    client_id: str
    secret: str


@dataclass(frozen=True)
class Token:
    """A text that is sent as a token; `hospital` is whose it is, None when it is nobody's."""

    text: str
    client: App
    hospital: Hospital | None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  # JSON
        return orjson.loads(self.body)

    @property
    def links(self) -> list[str]:
        """Addresses of other pages, in Bundles and in Bundles within them."""
        found: list[str] = []

        def walk(node: object) -> None:
            if isinstance(node, dict):
                if node.get("relation") == "next":
                    found.append(str(node["url"]))
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)

        if self.body.startswith(b"{"):
            walk(self.json)
        return found


@dataclass
class World:
    ward: Ward
    caller: Caller
    service: Service
    apps: dict[str, App] = field(default_factory=dict)
    requests: int = 0
    shown: int = 0
    """Answers that showed the hospital of the token."""

    @property
    def hospitals(self) -> list[Hospital]:
        return self.ward.hospitals

    async def grant(self, app: App, scope: str) -> tuple[int, str]:
        """Status, and the token or empty."""
        form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.secret}
        answer = await self._send("POST", "/oauth2/token", {}, {**form, "scope": scope})
        return answer.status, answer.json.get("access_token", "")

    async def revoke(self, token: Token) -> int:
        form = {"client_id": token.client.client_id, "client_secret": token.client.secret, "token": token.text}
        return (await self._send("POST", "/oauth2/revoke", {}, form)).status

    async def ask(
        self,
        token: Token,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes = b"",
    ) -> Answer:
        """Send a request and hold the answer to the rule."""
        sent = {"authorization": f"Bearer {token.text}", **(headers or {})}
        answer = await self._send(method, target.removeprefix(BASE_URL), sent, body)
        # A search's own address may be shown to who sent it, host and all.
        knew = HOST in f"{target} {sent} {body.decode()}"
        self.check(token.hospital, answer, f"{method} {target}", knew=knew)
        return answer

    async def batch(self, token: Token, face: str, urls: list[str], headers: Mapping[str, str] | None = None) -> Answer:
        entries = [{"request": {"method": "GET", "url": url}} for url in urls]
        body = orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
        sent = {"content-type": "application/fhir+json", **(headers or {})}
        return await self.ask(token, f"/fhir{face}", sent, method="POST", body=body)

    def check(self, whose: Hospital | None, answer: Answer, what: str, *, knew: bool) -> None:
        everything = answer.body + repr(answer.headers).encode()
        for hospital in self.hospitals:
            if hospital is not whose:
                assert hospital.marker.encode() not in everything, f"{what} showed {hospital.name}"
            assert hospital.key.encode() not in everything, f"{what} showed a key"
        assert knew or HOST.encode() not in everything, f"{what} showed an address of the server"
        assert not {"set-cookie", "x-server"} & answer.headers.keys(), what
        strangers, self.ward.strangers = self.ward.strangers, []
        cookies, self.ward.cookies = self.ward.cookies, []
        assert strangers == [], f"{what} went to a server with another's credential"
        assert cookies == [], f"{what} brought a server a cookie"
        self.shown += whose is not None and whose.marker.encode() in everything

    async def _send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | Mapping[str, str]
    ) -> Answer:
        self.requests += 1
        if isinstance(body, Mapping):
            headers, body = {**headers, "content-type": FORM}, urlencode(body).encode()
        got = await self.caller.request(method, target, headers=headers, body=body)
        content = gzip.decompress(got.body) if got.header("content-encoding") == "gzip" else got.body
        return Answer(got.status, dict(got.headers), content)


def forged(token: str, **claims: object) -> str:
    """The token with other claims and its old signature."""
    header, payload, signature = token.split(".")
    held = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(held | claims).encode()).rstrip(b"=").decode()
    return f"{header}.{changed}.{signature}"


def spliced(one: str, other: str) -> str:
    """Header and claims of one token, signature of the other."""
    return f"{one.rpartition('.')[0]}.{other.rpartition('.')[2]}"


@contextmanager
def open_world(tables_connection: str, keys: Path) -> Iterator[tuple[World, asyncio.Runner]]:
    """A world and the loop that it lives on, for tests that are not coroutines themselves."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(_open(stack, tables_connection, keys)), runner
        finally:
            runner.run(stack.aclose())


async def _open(stack: AsyncExitStack, tables_connection: str, keys: Path) -> World:
    running = await stack.enter_async_context(ward())
    # Caches live for long: whatever they mix up stays mixed up.
    environment = {
        "TABLES_CONNECTION": tables_connection,
        "LOCAL_KEYS_DIR": str(keys),
        "CACHE_TTL_SECONDS": "3600",
        "CLIENT_RATE_PER_SECOND": "0",
    }
    application, service = await stack.enter_async_context(running_app(BASE_URL, environment))
    await service.registry.ensure_tables()
    await service.keys.ensure()
    world = World(running, Caller(application, BASE_URL), service)
    for hospital in running.hospitals:
        name = f"key-of-{hospital.name}"
        await service.secrets.set(name, hospital.key)
        tenant = {
            "tenant_id": hospital.tenant_id,
            "name": f"Hospital {hospital.name}",
            "fhir_url": running.origin + hospital.base,
            "fhir_version": FhirVersion.R4,
            "system": "hapi" if hospital.batch else "generic",
            "auth": {"kind": "header", "name": KEY_HEADER, "secret": name},
        }
        await service.registry.add_tenant(Tenant.model_validate(tenant))
    a, b, c = (hospital.tenant_id for hospital in running.hospitals)
    for name, tenants in (("all", "*"), ("only-a", (a,)), ("b-and-c", (b, c))):
        world.apps[name] = await _client(service, name, tenants)
    return world


async def _client(service: Service, name: str, tenants: object) -> App:
    client = Client.model_validate({"name": name, "tenants": tenants})
    await service.registry.add_client(client)
    expires = datetime.now(UTC) + timedelta(days=1)
    _, value = await service.registry.add_secret(client.client_id, await service.keys.pepper(), expires=expires)
    return App(name, client.client_id, value)
