"""FHIR servers of several tenants at one address, each of whose resources says whose it is.

All share one origin, and two even the same base URL: only the credential tells them apart. So a connection, a cookie, a
token or an answer that slips from one tenant to another shows.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import orjson
from aiohttp import web

HOST = "localhost"
PAGES = 3
KEY_HEADER = "X-Hospital-Key"
PATIENT = "shared-id"
"""The same id at every hospital: only the tenant tells the patients apart."""


@dataclass
class Hospital:
    """`marker` stands in every resource, link and error that its server ever sends, and nowhere else."""

    name: str
    base: str
    batch: bool = False
    marker: str = field(default_factory=lambda: f"marker-{uuid4().hex[:12]}")
    key: str = field(default_factory=lambda: f"key-{uuid4().hex}")
    tenant_id: str = field(default_factory=lambda: str(uuid4()))
    noise: str = field(default_factory=lambda: token_hex(1500))
    served: int = 0
    """Requests that came with this hospital's credential."""


@dataclass
class Ward:
    """The one server behind all hospitals; `strangers` counts requests with a credential of none, or of another."""

    origin: str = ""
    hospitals: list[Hospital] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        if cookie := request.headers.get("Cookie"):
            self.cookies.append(cookie)
        sent = request.headers.get(KEY_HEADER, "")
        hospital = next((one for one in self.hospitals if one.key == sent), None)
        body = await request.read()
        path = str(request.rel_url.raw_path)
        # Many servers decode a path once more than they should: what could then lead elsewhere must not come this far.
        crooked = "%2f" in path.lower() or "%2e" in path.lower() or ".." in path
        if hospital is None or crooked or not path.startswith(hospital.base):
            self.strangers.append(f"{request.method} {path}")
            # Whoever gets here with a wrong key is shown what the place belongs to.
            owners = [one.marker for one in self.hospitals if path.startswith(one.base)]
            return web.json_response(_outcome(" ".join(owners)), status=403, headers=_headers(sent))
        hospital.served += 1
        answer, status = self._answer(hospital, request.method, path.removeprefix(hospital.base), request, body)
        return web.Response(
            body=orjson.dumps(answer),
            status=status,
            headers={**_headers(hospital.marker), "Content-Type": "application/fhir+json"},
        )

    def _answer(
        self, hospital: Hospital, method: str, path: str, request: web.Request, body: bytes
    ) -> tuple[dict[str, Any], int]:
        parts = [part for part in path.split("/") if part]
        if not parts:
            if method == "POST" and hospital.batch:
                return self._batch(hospital, orjson.loads(body)), 200
            return _outcome(hospital.marker), 404
        form = parse_qsl(body.decode()) if method == "POST" else []
        query = dict([*parse_qsl(request.rel_url.raw_query_string), *form])
        return self._read(hospital, parts, query)

    def _batch(self, hospital: Hospital, bundle: dict[str, Any]) -> dict[str, Any]:
        entries = []
        for entry in bundle["entry"]:
            path, _, query = entry["request"]["url"].partition("?")
            resource, status = self._read(hospital, path.split("/"), dict(parse_qsl(query)))
            entries.append({"resource": resource, "response": {"status": str(status)}})
        return {"resourceType": "Bundle", "type": "batch-response", "entry": entries}

    def _read(self, hospital: Hospital, parts: list[str], query: dict[str, str]) -> tuple[dict[str, Any], int]:
        resource_type, rest = parts[0], parts[1:]
        if resource_type not in ("Patient", "Encounter", "Practitioner"):
            return _outcome(f"{hospital.marker} knows no {resource_type}"), 404
        if rest and rest != ["_search"]:
            if rest[0] != PATIENT:
                return _outcome(f"{hospital.marker} has no such one"), 404
            return _resource(hospital, resource_type, PATIENT), 200
        page = int(query.get("p", "0")) if query.get("p", "0").isdecimal() else 0
        # As with servers that keep results under a key: whoever knows the key is shown them.
        session = query.get("session", "")
        hospital = next((one for one in self.hospitals if session.startswith(one.marker)), hospital)
        base = f"{self.origin}{hospital.base}"
        entries = [
            {"fullUrl": f"{base}/{resource_type}/{one}", "resource": _resource(hospital, resource_type, one)}
            for one in (PATIENT, f"{hospital.marker}-{page}")
        ]
        links = [{"relation": "self", "url": f"{base}/{resource_type}"}]
        if page + 1 < PAGES:
            # A long one, which does not shrink, is kept in Table Storage instead of the address.
            pad = hospital.marker + hospital.noise * page
            links.append({"relation": "next", "url": f"{base}/{resource_type}?p={page + 1}&session={pad}"})
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": PAGES * 2,
            "link": links,
            "entry": entries,
        }, 200


def _headers(marker: str) -> dict[str, str]:
    return {"Set-Cookie": f"session={marker}; Path=/", "ETag": f'W/"{marker}"', "X-Server": marker}


def _outcome(text: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "exception", "diagnostics": text}],
    }


def _resource(hospital: Hospital, resource_type: str, resource_id: str) -> dict[str, Any]:
    own: dict[str, Any] = {"resourceType": resource_type, "id": resource_id}
    match resource_type:
        case "Patient" | "Practitioner":
            return {**own, "name": [{"family": hospital.marker}]}
        case _:
            # Without displays, so that the gateway reads the participants.
            return {
                **own,
                "status": "finished",
                "class": {"code": "AMB"},
                "subject": {"reference": f"Patient/{PATIENT}"},
                "participant": [{"individual": {"reference": f"Practitioner/{PATIENT}"}}],
                "type": [{"text": hospital.marker}],
            }


@asynccontextmanager
async def ward() -> AsyncIterator[Ward]:
    """Three hospitals: `a` and `b` at the very same address, `c` beside them, which takes batches."""
    running = Ward()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", running.respond)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        running.origin = f"http://{HOST}:{runner.addresses[0][1]}"
        running.hospitals = [
            Hospital("a", "/fhir/r4"),
            Hospital("b", "/fhir/r4"),
            Hospital("c", "/fhir/r4c", batch=True),
        ]
        yield running
    finally:
        await runner.cleanup()
