"""One FHIR server that can play any system: `async with emulate(SYSTEMS["oracle"]) as server:`.

Knobs: `tests.upstreams.behaviour.Behaviour`, for each system in `SYSTEMS`; `server.faults` (tests.upstreams.faults),
each eaten by one request to the data, in order, `server.always` by every one; `server.resources` by type, free to
change. What was asked stands in `server.requests`. `server.token_requests` holds what the token endpoint was asked,
which takes `server.token_delay` seconds and knows `server.secret`; `server.revoke_tokens()` makes all issued tokens
invalid. It runs in the test's event loop on a free port of 127.0.0.1, speaks http, and knows what the tests search by:
`_id`, `patient`, `subject`, `beneficiary`, `subscriber`, `family`, `given`, `name`, `birthdate`, `gender`,
`identifier`, `date`.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from aiohttp import web

from tests.upstreams.behaviour import Behaviour, Paging
from tests.upstreams.data import hospital
from tests.upstreams.faults import Fault
from tests.upstreams.matching import ordered, selected

# SMART App Launch 1.0, "Authorization server discovery".
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_CURSOR_LENGTH = 22
_CURSORS = ("cursor", "ct", "_getpages", "pageContext", "continue", "_page_token", "sessionID")


@dataclass(frozen=True)
class Seen:
    """A request as the server saw it."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True) + parse_qsl(self.body.decode(), keep_blank_values=True)


@dataclass
class EmulatedServer:
    behaviour: Behaviour
    resources: dict[str, list[dict[str, Any]]]
    origin: str = ""
    requests: list[Seen] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    secret: str = "emulator-secret"
    token_delay: float = 0.0
    token_life: int = 300
    token_requests: list[Seen] = field(default_factory=list)
    _tokens: set[str] = field(default_factory=set)
    _cursors: dict[str, tuple[list[dict[str, Any]], int, int, str, str]] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return self.origin + self.behaviour.base_path

    @property
    def token_url(self) -> str:
        return f"{self.origin}/oauth2/token"

    def revoke_tokens(self) -> None:
        self._tokens.clear()

    def end_sessions(self) -> None:
        """The server forgets what next links stand for."""
        self._cursors.clear()

    async def token(self, request: web.Request) -> web.StreamResponse:
        """RFC 6749 §4.4 with a secret in the body or in the Basic header; assertions are taken unread."""
        self.token_requests.append(await _seen(request))
        await asyncio.sleep(self.token_delay)
        form = dict(parse_qsl((await request.read()).decode()))
        basic = request.headers.get("Authorization", "")
        known = form.get("client_secret") == self.secret or basic or "client_assertion" in form
        if not known or form.get("grant_type") != "client_credentials":
            return web.json_response({"error": "invalid_client"}, status=401)
        token = secrets.token_urlsafe(8)
        self._tokens.add(token)
        return web.json_response({"access_token": token, "token_type": "bearer", "expires_in": self.token_life})

    async def data(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await _seen(request))
        if not self._routed(request):
            return self._refuse(403, "forbidden")
        fault = self.faults.popleft() if self.faults else self.always
        if fault is not None and (answer := await fault.answer(request)) is not None:
            return answer
        if (said := self._discovery(request)) is not None:
            return said
        if (
            self.behaviour.token
            and request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens
        ):
            return self._refuse(401, "login")
        cursor = self._cursor(request)
        return self._page(cursor) if cursor else await self._interaction(request)

    def _routed(self, request: web.Request) -> bool:
        """Whether the request says whose hospital it is about."""
        behaviour = self.behaviour
        return all(request.headers.get(name) == value for name, value in behaviour.wanted_headers.items()) and all(
            request.query.getall(name, []) == [value] for name, value in behaviour.wanted_parameters.items()
        )

    def _discovery(self, request: web.Request) -> web.Response | None:
        """What a server says of its token endpoint, to anybody."""
        path = request.path.removeprefix(self.behaviour.base_path)
        if path == "/.well-known/smart-configuration" and not self.behaviour.open_metadata:
            return web.json_response({"token_endpoint": self.token_url})
        if path == "/metadata" and self.behaviour.open_metadata:
            uris = {"url": OAUTH_URIS, "extension": [{"url": "token", "valueUri": self.token_url}]}
            rest = [{"mode": "server", "security": {"extension": [uris]}}]
            return self._answer(200, {"resourceType": "CapabilityStatement", "status": "active", "rest": rest})
        return None

    def _cursor(self, request: web.Request) -> str:
        """The page that a next link asks for, empty for another request."""
        if request.path.startswith("/pages/"):
            return request.path.removeprefix("/pages/")
        named = (request.query.get(name, "") for name in _CURSORS)
        return next((value[:_CURSOR_LENGTH] for value in named if value), "")

    async def _interaction(self, request: web.Request) -> web.StreamResponse:
        resource_type, _, rest = request.path.removeprefix(self.behaviour.base_path).strip("/").partition("/")
        pairs = parse_qsl(request.query_string, keep_blank_values=True)
        if request.method == "POST":
            if rest != "_search" or self.behaviour.post_search in ("405", "400"):
                return self._refuse(400 if self.behaviour.post_search == "400" else 405, "not-supported")
            if self.behaviour.post_search == "works":
                pairs += parse_qsl((await request.read()).decode(), keep_blank_values=True)
        elif rest:
            found = [each for each in self.resources.get(resource_type, []) if each["id"] == rest]
            return self._answer(200, found[0]) if found else self._refuse(404, "not-found")
        return self._search(resource_type, pairs)

    def _search(self, resource_type: str, pairs: list[tuple[str, str]]) -> web.StreamResponse:
        behaviour = self.behaviour
        refused = behaviour.refused.get(resource_type, frozenset())
        if any(name.partition(":")[0] in refused for name, _ in pairs):
            return self._refuse(400, "not-supported")
        if behaviour.contains == "refused" and any(name.endswith(":contains") for name, _ in pairs):
            return self._refuse(400, "not-supported")
        matches = ordered(
            behaviour, resource_type, selected(behaviour, self.resources.get(resource_type, []), pairs), pairs
        )
        asked = dict(pairs)
        size = int(asked.get("_count", behaviour.page_size)) if behaviour.counts else behaviour.page_size
        size = min(size, behaviour.max_page_size)
        mode = "on" if asked.get("_total") == "accurate" else ""
        if "page" in asked:
            return self._bundle(matches, int(asked["page"]), size, mode, resource_type, pairs)
        if asked.get("_summary") == "count":
            return self._answer(200, {"resourceType": "Bundle", "type": "searchset", "total": len(matches)})
        return self._bundle(matches, 0, size, mode, resource_type, pairs)

    def _page(self, cursor: str) -> web.StreamResponse:
        if cursor not in self._cursors:
            return self._refuse(410, "expired")
        matches, start, size, mode, resource_type = self._cursors[cursor]
        return self._bundle(matches, start, size, mode, resource_type, [])

    def _bundle(
        self,
        matches: list[dict[str, Any]],
        start: int,
        size: int,
        mode: str,
        resource_type: str,
        pairs: list[tuple[str, str]],
    ) -> web.StreamResponse:
        behaviour = self.behaviour
        entries: list[dict[str, Any]] = [
            {
                "fullUrl": f"{self.base_url}/{each['resourceType']}/{each['id']}",
                "resource": each,
                "search": {"mode": "match"},
            }
            for each in matches[start - 1 if behaviour.repeats and start else start : start + size]
        ]
        if behaviour.outcome:
            issue = {"severity": "warning", "code": "informational", "diagnostics": "Something to know"}
            outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
            entries.append({"resource": outcome, "search": {"mode": "outcome"}})
        last = start + size >= len(matches)
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
        bundle |= {"link": [{"relation": "self", "url": f"{self.base_url}/{resource_type}"}]}
        if behaviour.total == "native" or (behaviour.total == "on-request" and mode):
            bundle["total"] = len(matches)
        elif behaviour.total == "estimate":
            bundle["total"] = len(matches) + (0 if last else 1000)
        if not last and size and behaviour.paging is not Paging.NONE:
            url = self._next(matches, start, size, mode, resource_type, pairs)
            bundle["link"].append({"relation": "next", "url": url})
        if entries:
            bundle["entry"] = entries
        return self._answer(200, bundle)

    def _next(
        self,
        matches: list[dict[str, Any]],
        start: int,
        size: int,
        mode: str,
        resource_type: str,
        pairs: list[tuple[str, str]],
    ) -> str:
        paging = self.behaviour.paging
        cursor = secrets.token_hex(_CURSOR_LENGTH // 2)
        at = start if paging is Paging.LOOP else start + size
        self._cursors[cursor] = (matches, at, size, mode, resource_type)
        rest = [(name, value) for name, value in pairs if name != "page"]

        def query(**more: str | int) -> str:
            return f"{self.base_url}/{resource_type}?{urlencode([*rest, *more.items()])}"

        pages = {"_getpages": cursor, "_getpagesoffset": at, "_count": size, "_bundletype": "searchset"}
        numbered = urlencode([*rest, ("page", at)])
        links = {
            Paging.ABSOLUTE: query(page=at),
            Paging.LOOP: query(page=at),
            Paging.RELATIVE: f"{resource_type}?{numbered}",
            Paging.QUERY_ONLY: f"?{numbered}",
            Paging.OTHER_PATH: f"/pages/{cursor}",
            Paging.GETPAGES: f"{self.base_url}?{urlencode(pages)}",
            Paging.CT: query(ct=cursor + "x" * 3000),
            Paging.PAGE_CONTEXT: query(pageContext=cursor, direction="NEXT"),
            Paging.CURSOR: query(cursor=cursor),
            Paging.CONTINUE: query(**{"continue": cursor}),
            Paging.PAGE_TOKEN: query(_page_token=cursor),
            Paging.SESSION: f"{self.base_url}/{resource_type}?sessionID={cursor}",
            Paging.FOREIGN: f"http://elsewhere.example{self.behaviour.base_path}/{resource_type}?{numbered}",
        }
        return links[paging]

    def _answer(self, status: int, resource: Mapping[str, Any]) -> web.Response:
        content_type = self.behaviour.content_type
        response = web.Response(status=status, body=orjson.dumps(resource), headers={"Content-Type": content_type})
        if self.behaviour.gzip:
            response.enable_compression()
        return response

    def _refuse(self, status: int, code: str) -> web.Response:
        issue = {"severity": "error", "code": code, "diagnostics": f"Refused at {self.base_url}"}
        return self._answer(status, {"resourceType": "OperationOutcome", "issue": [issue]})


@asynccontextmanager
async def emulate(
    behaviour: Behaviour | None = None, resources: dict[str, list[dict[str, Any]]] | None = None
) -> AsyncIterator[EmulatedServer]:
    """A running emulated server with its own small hospital, or the given resources."""
    how = behaviour or Behaviour()
    server = EmulatedServer(how, hospital(how.version) if resources is None else resources)
    app = web.Application()
    app.router.add_post("/oauth2/token", server.token)
    app.router.add_route("*", "/{path:.*}", server.data)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def _seen(request: web.Request) -> Seen:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Seen(request.method, request.path, request.query_string, headers, await request.read())
