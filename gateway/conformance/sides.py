"""Whom the check asks: the server alone over HTTP, or the gateway's own pipeline in this process."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import uuid4

import aiohttp
import orjson
from yarl import URL

from gateway.conformance.allowance import Allowance
from gateway.conformance.answers import NO_CREDENTIAL, TIMEOUT, UNREACHABLE, read_body
from gateway.conformance.calls import Request
from gateway.conformance.evidence import Exchange
from gateway.errors import GatewayError
from gateway.exchange import Request as HttpRequest
from gateway.exchange import Timing
from gateway.fhir.faces import FACES
from gateway.pipeline import FhirEndpoint
from gateway.registry import Tenant
from gateway.upstream.extra_parameters import addressed
from gateway.versions import FhirVersion

_TOO_MANY = 429
_LONGEST_WAIT_SECONDS = 5.0
_MOST_BYTES = 50_000_000
_FORM = "application/x-www-form-urlencoded"


class Side(Protocol):
    """One of the two that a run asks."""

    allowance: Allowance

    async def send(self, request: Request) -> Exchange:
        """Send one request and read the whole answer; failures are answers, too. Raises RequestLimitReached."""
        ...

    def below(self, address: str) -> str | None:
        """What of an address (a next link, a reference) follows the base; None when it leads elsewhere."""
        ...


class Server:
    """A FHIR server over HTTP. Reads only: GET, POST of a search, POST of a batch of GETs."""

    def __init__(  # what one connection to a server is made of
        self,
        session: aiohttp.ClientSession,
        tenant: Tenant,
        credentials: Callable[[], Awaitable[Mapping[str, str]]],
        allowance: Allowance,
        *,
        tls: ssl.SSLContext | bool,
        timeout_seconds: float,
    ) -> None:
        self.allowance = allowance
        self.version = FhirVersion.R4
        self.tls = tls
        """False: the certificate is not looked at, which only anonymous requests may do."""
        self.throttled = 0
        self._session = session
        self._tenant = tenant
        self._base = tenant.fhir_url.rstrip("/")
        self._credentials = credentials
        self._timeout = timeout_seconds

    def below(self, address: str) -> str | None:
        try:
            absolute = urljoin(f"{self._base}/", address)
            ours, theirs = urlsplit(self._base), urlsplit(absolute)
        except ValueError:
            return None
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
            return None
        path = absolute.removeprefix(self._base)
        # A page may live beside the base (Meld, HAPI behind a proxy): it is taken whole.
        return path.lstrip("/") if absolute.startswith(self._base) else absolute

    async def send(self, request: Request) -> Exchange:
        headers = {"Accept": _accept(self.version), **self._tenant.extra_headers, **request.headers}
        if not request.anonymous:
            try:
                headers |= await self._credentials()
            except GatewayError:
                return Exchange(request, 0, 0, problem=NO_CREDENTIAL)
        async with self.allowance.one():
            exchange, wait = await self._once(request, headers)
        if exchange.status == _TOO_MANY:
            self.throttled += 1
            await asyncio.sleep(min(wait, _LONGEST_WAIT_SECONDS))
            async with self.allowance.one():
                exchange, _ = await self._once(request, headers)
        return exchange

    async def _once(self, request: Request, headers: Mapping[str, str]) -> tuple[Exchange, float]:
        try:
            url = addressed(self._tenant, URL(_target(self._base, request), encoded=True))
        except ValueError:  # a next link or a reference that is no address
            return Exchange(request, 0, 0, problem=UNREACHABLE), 0
        body, kind = _body(request, self.version)
        sent = {**headers, "Content-Type": kind} if kind else dict(headers)
        began = time.perf_counter()
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._session.request(
                    request.method, url, headers=sent, data=body, allow_redirects=False, ssl=self.tls
                ) as answer,
            ):
                content = await _read(answer.content)
        except TimeoutError:
            return Exchange(request, 0, _since(began), problem=TIMEOUT), 0
        except (aiohttp.ClientError, ValueError):
            return Exchange(request, 0, _since(began), problem=UNREACHABLE), 0
        resource, problem = read_body(answer.status, content)
        wait = answer.headers.get("Retry-After", "1")
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        exchange = Exchange(request, answer.status, _since(began), len(content), media_type, resource, problem)
        return exchange, float(wait) if wait.isdecimal() else 1.0


class Gateway:
    """The gateway's pipeline for one tenant, called in this process as a trigger would call it."""

    def __init__(
        self,
        endpoint: FhirEndpoint,
        fhir_base_url: str,
        face: FhirVersion,
        statement: Mapping[str, object],
        allowance: Allowance,
    ) -> None:
        self.allowance = allowance
        self.parts: dict[str, list[float]] = {}
        self._endpoint = endpoint
        self._face = face
        self._base = f"{fhir_base_url}/{face}"
        self._statement = statement

    def below(self, address: str) -> str | None:
        try:
            absolute = urljoin(f"{self._base}/", address)
        except ValueError:
            return None
        if absolute == self._base or absolute.startswith((f"{self._base}/", f"{self._base}?")):
            return absolute.removeprefix(self._base).lstrip("/")
        return None

    async def send(self, request: Request) -> Exchange:
        if request.path == "metadata":
            began = time.perf_counter()
            statement = orjson.loads(orjson.dumps(self._statement))
            return Exchange(request, 200, _since(began), media_type=FACES[self._face].media_type, resource=statement)
        async with self.allowance.one():
            return await self._once(request)

    async def _once(self, request: Request) -> Exchange:
        path, _, query = _target("", request).lstrip("/").partition("?")
        body, kind = _body(request, self._face)
        headers = {"accept": FACES[self._face].media_type, "authorization": "Bearer check", **request.headers}
        if kind:
            headers |= {"content-type": kind, "content-length": str(len(body or b""))}
        http = HttpRequest(
            method=request.method,
            path=f"{self._face}/{path}".rstrip("/"),
            query=query,
            headers=headers,
            body=body or b"",
            request_id=str(uuid4()),
        )
        timing = Timing()
        began = time.perf_counter()
        answer = await self._endpoint.handle(http, timing)
        took = _since(began)
        for name, seconds in timing.seconds.items():
            self.parts.setdefault(name, []).append(seconds * 1000)
        resource, problem = read_body(answer.status, answer.body)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Exchange(request, answer.status, took, len(answer.body), media_type, resource, problem)


def _accept(version: FhirVersion) -> str:
    return f"{FACES[version].media_type}, application/json;q=0.9"


def _target(base: str, request: Request) -> str:
    """The address of a request; one that was a next link is sent exactly as the server wrote it."""
    address = request.path if "://" in request.path else f"{base}/{request.path}" if request.path else base
    if request.path.startswith("?"):
        address = f"{base}{request.path}"
    query = urlencode(request.query, safe=":")
    return f"{address}?{query}" if query else address


def _body(request: Request, version: FhirVersion) -> tuple[bytes | None, str]:
    if request.form is not None:
        return urlencode(request.form, safe=":").encode(), _FORM
    if request.body is not None:
        return orjson.dumps(request.body), FACES[version].media_type
    return None, ""


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


async def _read(stream: aiohttp.StreamReader) -> bytes:
    """The body, cut off at a size that no page of a search should have: what is cut is no JSON any more."""
    content = bytearray()
    async for chunk in stream.iter_any():
        content += chunk
        if len(content) > _MOST_BYTES:
            break
    return bytes(content)
