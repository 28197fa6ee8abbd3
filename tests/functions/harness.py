"""The real function app in this process, on real Table Storage (Azurite), before FHIR servers that record what they are
asked. No answer may name a server's host: every request of `Gateway` looks for it.
"""

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import orjson
from aiohttp import web

from gateway.registry import Client, Tenant
from gateway.service import Service
from gateway.versions import FhirVersion
from local.worker.client import Client as Caller
from local.worker.client import ClientResponse
from tests.running_app import running_app

BASE_URL = "https://gateway.example"
FORM = "application/x-www-form-urlencoded"
# Every server of these tests is reached by this name, which the gateway's own addresses do not have.
UPSTREAM_HOST = "localhost"

type Responder = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        query = self.target.partition("?")[2]
        return parse_qsl(query, keep_blank_values=True) + parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass
class Recorder:
    """A FHIR server that says what the test wants, and remembers what it was asked.

    `answers` by path below the origin, with or without the query; the first match of the longest form counts.
    """

    origin: str = ""
    answers: dict[str, Callable[[], web.Response] | Responder] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.origin}/fhir"

    def says(self, path: str, resource: object, status: int = 200, **headers: str) -> None:
        body = resource if isinstance(resource, bytes) else orjson.dumps(resource)
        content_type = headers.pop("content_type", "application/fhir+json")

        def answer() -> web.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(body=body, status=status, headers={"Content-Type": content_type, **named})

        self.answers[f"/fhir{path}"] = answer

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(Seen(request.method, request.raw_path, dict(request.headers.items()), await request.read()))
        answer = self.answers.get(request.raw_path) or self.answers.get(request.path)
        if answer is None:
            return web.json_response({"resourceType": "OperationOutcome", "issue": []}, status=404)
        made: Any = answer() if not _wants_request(answer) else answer(request)  # type: ignore[call-arg]
        return made if isinstance(made, web.StreamResponse) else await made


def _wants_request(answer: Callable[..., Any]) -> bool:
    return answer.__code__.co_argcount > 0


class Everywhere(dict[str, Any]):
    """One answer for every path."""

    def __init__(self, answer: Responder) -> None:
        super().__init__()
        self._answer = answer

    def get(self, _path: str, _default: object = None) -> Responder:
        return self._answer


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    server = Recorder()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.respond)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.origin = f"http://{UPSTREAM_HOST}:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  # JSON
        return orjson.loads(self.body)

    @property
    def diagnostics(self) -> str:
        assert self.json["resourceType"] == "OperationOutcome", self.body
        return str(self.json["issue"][0]["diagnostics"])

    @property
    def resources(self) -> list[dict[str, Any]]:
        return [entry["resource"] for entry in self.json.get("entry", [])]

    def link(self, relation: str) -> str:
        return next((link["url"] for link in self.json.get("link", []) if link["relation"] == relation), "")


@dataclass
class Gateway:
    caller: Caller
    service: Service
    client_id: str
    secret: str
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    async def tenant(self, fhir_url: str, version: str = "r4", **fields: object) -> str:
        """Register a tenant; returns its id."""
        tenant_id = str(uuid4())
        row = {"tenant_id": tenant_id, "name": "A hospital", "fhir_url": fhir_url, "fhir_version": FhirVersion(version)}
        await self.service.registry.add_tenant(Tenant.model_validate({**row, **fields}))
        return tenant_id

    async def token(self, tenant_id: str, scope: str = "") -> str:
        if (tenant_id, scope) not in self.tokens:
            form = {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.secret,
                "scope": f"{tenant_id} {scope}".strip(),
            }
            answer = await self.caller.request(
                "POST", "/oauth2/token", headers={"content-type": FORM}, body=urlencode(form).encode()
            )
            assert answer.status == 200, answer.body
            self.tokens[tenant_id, scope] = orjson.loads(answer.body)["access_token"]
        return self.tokens[tenant_id, scope]

    async def ask(
        self,
        tenant_id: str,
        target: str,
        *,
        method: str = "GET",
        scope: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """A request of the app; `target` is a path, or an address at the gateway that an answer held."""
        token = await self.token(tenant_id, scope)
        sent = {"authorization": f"Bearer {token}", **(headers or {})}
        answer = await self.caller.request(method, target.removeprefix(BASE_URL), headers=sent, body=body)
        return checked(answer)

    async def search(self, tenant_id: str, target: str, form: Iterable[tuple[str, str]]) -> Answer:
        body = urlencode(list(form)).encode()
        return await self.ask(tenant_id, target, method="POST", headers={"content-type": FORM}, body=body)

    async def batch(self, tenant_id: str, face: str, urls: Iterable[Any], scope: str = "") -> Answer:
        """A batch of GETs, or of whole entries."""
        entries = [{"request": {"method": "GET", "url": url}} if isinstance(url, str) else url for url in urls]
        return await self.ask(
            tenant_id,
            f"/fhir{face}",
            method="POST",
            scope=scope,
            headers={"content-type": "application/fhir+json"},
            body=orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}),
        )


def checked(answer: ClientResponse) -> Answer:
    """An answer that names the server's host nowhere, and that carries what every answer carries."""
    body = gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body
    assert UPSTREAM_HOST.encode() not in body.lower()
    assert UPSTREAM_HOST not in repr(answer.headers).lower()
    assert b"127.0.0.1" not in body
    headers = dict(answer.headers)
    assert headers["x-request-id"]
    assert all(hop in headers["server-timing"] for hop in ("auth;", "map;", "upstream;", "adapt;", "total;"))
    assert not {"set-cookie", "server", "x-powered-by"} & headers.keys()
    return Answer(answer.status, headers, body)


@asynccontextmanager
async def open_gateway(tables_connection: str, keys: Path, **settings: str) -> AsyncIterator[Gateway]:
    environment = {"TABLES_CONNECTION": tables_connection, "LOCAL_KEYS_DIR": str(keys), **settings}
    async with running_app(BASE_URL, environment) as (application, service):
        yield await _with_client(Caller(application, BASE_URL), service)


async def _with_client(caller: Caller, service: Service) -> Gateway:
    await service.registry.ensure_tables()
    await service.keys.ensure()
    client = Client(name="App", tenants="*")
    await service.registry.add_client(client)
    _, value = await service.registry.add_secret(
        client.client_id, await service.keys.pepper(), expires=datetime.now(UTC) + timedelta(days=1)
    )
    return Gateway(caller, service, client.client_id, value)
