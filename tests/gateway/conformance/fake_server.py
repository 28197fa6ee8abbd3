"""A sandbox hospital on a free port of 127.0.0.1, in the test's event loop, with one fault planted between it and the
caller.

A fault sees each request before the hospital (`before`) and each answer after it (`after`). Batches are taken apart
here, so that their entries meet the same fault as requests of their own.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from aiohttp import web

from gateway.registry import Tenant
from local.sandbox.app import build_app
from local.sandbox.hospitals import HOSPITALS_FOLDER, Hospital, OpenAccess, load_hospital
from local.worker.client import Client

type Resource = dict[str, Any]
type Resources = dict[str, list[Resource]]

_JSON = "application/fhir+json"
_KEPT = {"accept", "content-type", "content-length", "authorization", "x-api-key", "prefer", "host", "redox-source-id"}


@dataclass
class Asked:
    """A request as it arrived; a fault may change it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    hospital: Hospital

    @property
    def below(self) -> str:
        """The path below the FHIR base."""
        return self.path.removeprefix(self.hospital.base_path).strip("/")

    @property
    def kind(self) -> str:
        """`metadata`, a resource type, or empty for the base."""
        return self.below.partition("/")[0]

    @property
    def parameters(self) -> dict[str, str]:
        """Those of the query and of the form."""
        form = self.body.decode() if self.below.endswith("_search") else ""
        return dict(parse_qsl(self.query) + parse_qsl(form))

    def search(self, resource_type: str) -> bool:
        return self.below in (resource_type, f"{resource_type}/_search")

    def without(self, name: str) -> None:
        """Leave a parameter out, as a lenient server does."""
        kept = urlencode([(key, value) for key, value in self.parameters.items() if key.partition(":")[0] != name])
        if self.method == "POST":
            self.body = kept.encode()
            self.headers["content-length"] = str(len(self.body))
        else:
            self.query = kept


@dataclass
class Given:
    """The hospital's answer; a fault may change it. `json` is None where the body is none."""

    status: int
    content_type: str
    json: Any
    body: bytes | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a server. `before` may answer in the hospital's place; answers take `seconds` longer."""

    before: Callable[[Asked], Given | None] = lambda _asked: None
    after: Callable[[Asked, Given], None] = lambda _asked, _given: None
    data: Callable[[Resources], None] = lambda _resources: None
    seconds: Callable[[Asked], float] = lambda _asked: 0


@dataclass(frozen=True)
class Running:
    """A hospital that runs; `seen` are the requests that reached it."""

    root: str
    hospital: Hospital
    seen: list[Asked]

    @property
    def fhir_url(self) -> str:
        return f"{self.root}{self.hospital.base_path}"

    def tenant(self, **fields: Any) -> Tenant:  # noqa: ANN401  # fields of Tenant
        """A tenant that is mapped to it."""
        known = {
            "tenant_id": self.hospital.tenant_id,
            "name": self.hospital.display_name,
            "fhir_url": self.fhir_url,
            "fhir_version": self.hospital.version,
            "mrn_system": self.hospital.mrn_system,
        }
        return Tenant.model_validate(known | fields)


@dataclass(frozen=True)
class _TestHospital(Hospital):
    """A hospital whose resources stand elsewhere than in the sandbox."""

    home: Path = HOSPITALS_FOLDER

    @property
    def folder(self) -> Path:
        return self.home


def resources_of(name: str) -> Resources:
    """The sandbox hospital's resources by type."""
    folder = load_hospital(name).folder
    return {
        path.stem: [orjson.loads(line) for line in path.read_bytes().splitlines()]
        for path in sorted(folder.glob("*.ndjson"))
    }


def able_hospital(name: str, home: Path, resources: Resources) -> Hospital:
    """The hospital, open, with batch and sort, and with these resources, which are written to `home`."""
    for resource_type, found in resources.items():
        (home / f"{resource_type}.ndjson").write_bytes(b"\n".join(orjson.dumps(one) for one in found))
    known = load_hospital(name)
    fields = {field: getattr(known, field) for field in Hospital.__dataclass_fields__}
    return replace(_TestHospital(**fields, home=home), access=OpenAccess(), batch=True, sort=True)


@asynccontextmanager
async def serve(hospital: Hospital, fault: Fault, tls: ssl.SSLContext | None = None) -> AsyncIterator[Running]:
    """The running hospital."""
    scheme = "https" if tls else "http"
    client = Client(build_app(hospital), f"{scheme}://localhost")
    seen: list[Asked] = []

    async def handle(asked: Asked) -> Given:
        given = fault.before(asked)
        if given is None and hospital.batch and _is_batch(asked):
            given = Given(200, _JSON, await batch(asked))
            fault.after(asked, given)
        elif given is None:
            target = f"{asked.path}?{asked.query}" if asked.query else asked.path
            said = await client.request(asked.method, target, headers=asked.headers, body=asked.body)
            given = Given(said.status, said.header("content-type") or "", orjson.loads(said.body or b"null"))
            fault.after(asked, given)
        return given

    async def batch(asked: Asked) -> Resource:
        answers = []
        headers = {name: value for name, value in asked.headers.items() if name in ("host", "authorization")}
        for entry in orjson.loads(asked.body)["entry"]:
            path, _, query = entry["request"]["url"].partition("?")
            given = await handle(Asked("GET", f"{hospital.base_path}/{path}", query, headers, b"", hospital))
            answers.append({"response": {"status": str(given.status)}, "resource": given.json})
        return {"resourceType": "Bundle", "type": "batch-response", "entry": answers}

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() in _KEPT}
        asked = Asked(request.method, request.path, request.query_string, headers, await request.read(), hospital)
        seen.append(replace(asked))
        given = await handle(asked)
        await asyncio.sleep(fault.seconds(asked))
        body = orjson.dumps(given.json) if given.body is None else given.body
        return web.Response(status=given.status, body=body, headers={"Content-Type": given.content_type})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield Running(f"{scheme}://localhost:{runner.addresses[0][1]}", hospital, seen)
    finally:
        await runner.cleanup()


def _is_batch(asked: Asked) -> bool:
    return asked.method == "POST" and asked.below == "" and asked.path.startswith(asked.hospital.base_path)
