import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from gateway.errors import Throttled, UpstreamBroken, UpstreamTimeout
from gateway.registry import Tenant
from gateway.settings import Settings
from gateway.upstream.addresses import AddressRefused, check_address
from gateway.upstream.circuit import Circuit
from gateway.upstream.credentials import Credentials
from gateway.upstream.lanes import Lanes
from gateway.upstream.responses import AnswerTooLarge, UpstreamResponse, read_response
from gateway.upstream.retries import (
    ATTEMPTS,
    FAILURES,
    LEAST_SECONDS,
    REPEATABLE,
    backoff_seconds,
    is_read,
    retry_after_seconds,
)
from gateway.upstream.session import PrivateAddress

__all__ = ["Upstream", "UpstreamResponse"]

_UNAUTHORIZED = 401
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SEE_OTHER = 303
_MOST_REDIRECTS = 3


class Upstream:
    """One HTTP client for every tenant's FHIR server.

    `budget_seconds` is the time of one request, waiting for its turn, tokens and retries included.
    """

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget_seconds = settings.upstream_timeout_seconds
        self._settings = settings
        self._session = session
        self._credentials = credentials
        self._lanes = Lanes(settings.tenant_max_concurrency, clock)

    async def send(
        self,
        tenant: Tenant,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> UpstreamResponse:
        """Send one request below the tenant's FHIR base and read the whole answer.

        Reads are repeated while time allows after a lost connection and after 429, 502, 503 and 504, as the server's
        Retry-After says; a credential that the server refuses is renewed once; redirects are followed at the server's
        own origin only. Raises UpstreamBroken, UpstreamTimeout, UpstreamSuspended while the server's circuit is open,
        Throttled when too many of the tenant's requests wait.
        """
        base = tenant.fhir_url.rstrip("/")
        url = URL(f"{base}/{path_and_query}" if path_and_query else base, encoded=True)
        return await self._send(tenant, method, url, headers, body)

    async def fetch(self, tenant: Tenant, url: URL, headers: Mapping[str, str]) -> UpstreamResponse:
        """Get an absolute address at the tenant's own origin, such as a next page. Raises as `send` does."""
        if url.origin() != URL(tenant.fhir_url, encoded=True).origin():
            raise UpstreamBroken("The address is not at the FHIR server.")
        return await self._send(tenant, "GET", url, headers, None)

    async def _send(
        self, tenant: Tenant, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> UpstreamResponse:
        try:
            check_address(tenant.fhir_url, self._settings)
        except AddressRefused as error:
            raise UpstreamBroken(
                "The tenant's FHIR server is at an address that is not allowed.", detail=str(error)
            ) from None
        lane = self._lanes.of(tenant)
        started = False
        try:
            async with asyncio.timeout(self.budget_seconds) as budget, lane.turn():
                started = True
                return await self._persist(
                    _Call(tenant, method, url, headers, body), lane.circuit, budget.when() or 0.0
                )
        except TimeoutError:
            if not started:
                raise Throttled("This tenant's FHIR server is busy with other requests.", 1) from None
            lane.circuit.failed()
            raise UpstreamTimeout("The FHIR server did not answer in time.") from None
        except asyncio.CancelledError:
            if started:
                lane.circuit.abandoned()
            raise

    async def _persist(self, call: "_Call", circuit: Circuit, deadline: float) -> UpstreamResponse:
        """Ask until an answer is worth returning or the time is up; tell the circuit how it went."""
        clock = asyncio.get_running_loop().time
        attempts = ATTEMPTS if is_read(call.method, call.url.path) else 1
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._attempt(call, circuit)
            asked = None
            if isinstance(outcome, UpstreamResponse):
                if outcome.status not in REPEATABLE:
                    circuit.succeeded()
                    return outcome
                asked = retry_after_seconds(outcome.headers.get("Retry-After"))
            pause = backoff_seconds(attempt) if asked is None else asked
            if attempt >= attempts or clock() + pause + LEAST_SECONDS > deadline:
                break
            await asyncio.sleep(pause)
        if isinstance(outcome, UpstreamBroken):
            circuit.failed()
            raise outcome
        (circuit.failed if outcome.status in FAILURES else circuit.succeeded)()
        return outcome

    async def _attempt(self, call: "_Call", circuit: Circuit) -> UpstreamResponse | UpstreamBroken:
        """One answer, or the lost connection that may be tried again. Raises UpstreamBroken for what may not."""
        try:
            return await self._authorised(call)
        except AnswerTooLarge:
            circuit.succeeded()
            raise
        except UpstreamBroken:
            circuit.failed()
            raise
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PrivateAddress):
                circuit.failed()
                raise UpstreamBroken("The FHIR server's address is not a public one.") from None
            return UpstreamBroken("The FHIR server cannot be reached.", detail=type(error).__name__)
        except aiohttp.ServerTimeoutError:
            raise TimeoutError from None
        except aiohttp.ClientError as error:
            return UpstreamBroken("The FHIR server cannot be reached.", detail=type(error).__name__)

    async def _authorised(self, call: "_Call") -> UpstreamResponse:
        credentials = await self._credentials.headers(call.tenant)
        response = await self._exchange(call, credentials)
        if response.status == _UNAUTHORIZED and await self._credentials.refused(call.tenant, credentials):
            response = await self._exchange(call, await self._credentials.headers(call.tenant))
        return response

    async def _exchange(self, call: "_Call", credentials: Mapping[str, str]) -> UpstreamResponse:
        url, method, body = call.url, call.method, call.body
        for _ in range(_MOST_REDIRECTS + 1):
            async with self._session.request(
                method, url, headers={**call.headers, **credentials}, data=body, allow_redirects=False
            ) as answer:
                location = answer.headers.get("Location") if answer.status in _REDIRECTS else None
                if location is None:
                    return await read_response(answer)
            url = _redirected(url, location)
            if answer.status == _SEE_OTHER:
                method, body = "GET", None
        raise UpstreamBroken("The FHIR server redirects without end.")


@dataclass(frozen=True, slots=True)
class _Call:
    tenant: Tenant
    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


def _redirected(url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location))
        if target.origin() == url.origin():
            return target.with_fragment(None)
    except ValueError:
        pass
    raise UpstreamBroken("The FHIR server redirects to another address: register that one if it is right.")
