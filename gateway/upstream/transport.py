import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from gateway.errors import Throttled, UpstreamBroken, UpstreamTimeout
from gateway.registry import Tenant
from gateway.settings import Settings
from gateway.telemetry.watching import ExchangeWatch
from gateway.upstream.circuit import Circuit
from gateway.upstream.credentials import Credentials
from gateway.upstream.extra_parameters import addressed
from gateway.upstream.lanes import Lane, Lanes
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
    """One HTTP client for every tenant's FHIR server. Every request carries the tenant's credential, and its fixed
    headers and parameters.

    `budget_seconds` is the time of one request, waiting for its turn, tokens and retries included.
    """

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        clock: Callable[[], float] = time.monotonic,
        watch: ExchangeWatch | None = None,
    ) -> None:
        self.budget_seconds = settings.upstream_timeout_seconds
        self._watch = watch
        self._session = session
        self._credentials = credentials
        self._lanes = Lanes(settings, clock)

    def suspended(self) -> dict[str, str]:
        """Tenants whose FHIR server is being given a pause: the state of the circuit, by tenant id."""
        return self._lanes.suspended()

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
        lane = self._lanes.of(tenant)
        url = URL(f"{lane.base}/{path_and_query}" if path_and_query else lane.base, encoded=True)
        return await self._send(lane, _Call(tenant, method, url, headers, body))

    async def fetch(self, tenant: Tenant, url: URL, headers: Mapping[str, str]) -> UpstreamResponse:
        """Get an absolute address at the tenant's own origin, such as a next page. Raises as `send` does."""
        lane = self._lanes.of(tenant)
        if url.origin() != URL(lane.base, encoded=True).origin():
            raise UpstreamBroken("The address is not at the FHIR server.")
        return await self._send(lane, _Call(tenant, "GET", url, headers, None))

    async def _send(self, lane: Lane, call: "_Call") -> UpstreamResponse:
        circuit = lane.circuit
        era: int | None = None
        try:
            async with asyncio.timeout(self.budget_seconds) as budget, lane:
                era = circuit.era
                response = await self._persist(call, budget.when() or 0.0)
        except BaseException as error:
            if era is not None:
                _report(circuit, era, error)
            if not isinstance(error, TimeoutError):
                raise
            if era is None:
                raise Throttled("This tenant's FHIR server is busy with other requests.", 1) from None
            raise UpstreamTimeout("The FHIR server did not answer in time.") from None
        if response.status in FAILURES:
            circuit.failed(era, "status")
        else:
            circuit.succeeded(era)
        return response

    async def _persist(self, call: "_Call", deadline: float) -> UpstreamResponse:
        """Ask until an answer is worth returning or the time is up."""
        attempt = 1
        while True:
            outcome = await self._attempt(call)
            asked = None
            if isinstance(outcome, UpstreamResponse):
                if outcome.status not in REPEATABLE:
                    return outcome
                asked = retry_after_seconds(outcome.headers.get("Retry-After"))
            pause = backoff_seconds(attempt) if asked is None else asked
            left = deadline - asyncio.get_running_loop().time()
            if attempt >= ATTEMPTS or not is_read(call.method, call.url.path) or pause + LEAST_SECONDS > left:
                break
            await asyncio.sleep(pause)
            attempt += 1
        if isinstance(outcome, UpstreamBroken):
            raise outcome
        return outcome

    async def _attempt(self, call: "_Call") -> UpstreamResponse | UpstreamBroken:
        """One answer, or the lost connection that may be tried again. Raises UpstreamBroken for what may not."""
        try:
            credentials = await self._credentials.headers(call.tenant)
            response = await self._exchange(call, credentials)
            if response.status == _UNAUTHORIZED and await self._credentials.refused(call.tenant, credentials):
                response = await self._exchange(call, await self._credentials.headers(call.tenant))
        except aiohttp.ServerTimeoutError:
            raise TimeoutError from None
        except aiohttp.ClientError as error:
            if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, PrivateAddress):
                raise UpstreamBroken("The FHIR server's address is not a public one.") from None
            return _Unreachable("The FHIR server cannot be reached.", detail=type(error).__name__)
        return response

    async def _exchange(self, call: "_Call", credentials: Mapping[str, str]) -> UpstreamResponse:
        headers = {**call.headers, **call.tenant.extra_headers, **credentials}
        if self._watch is None:
            return await self._follow(call, headers)
        with self._watch.exchange(call.tenant.tenant_id, call.method, call.url.host or "") as watched:
            response = await self._follow(call, headers | watched.headers)
            watched.status = response.status
        return response

    async def _follow(self, call: "_Call", headers: Mapping[str, str]) -> UpstreamResponse:
        url, method, body = call.url, call.method, call.body
        for _ in range(_MOST_REDIRECTS + 1):
            url = addressed(call.tenant, url)
            async with self._session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer:
                location = answer.headers.get("Location") if answer.status in _REDIRECTS else None
                if location is None:
                    return await read_response(answer)
            url = _redirected(url, location)
            if answer.status == _SEE_OTHER:
                method, body = "GET", None
        raise UpstreamBroken("The FHIR server redirects without end.")


class _Unreachable(UpstreamBroken):
    """No connection, or one that was lost."""


@dataclass(slots=True)
class _Call:
    tenant: Tenant
    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


def _report(circuit: Circuit, era: int, error: BaseException) -> None:
    """Tell the circuit what an error says about the server."""
    if isinstance(error, AnswerTooLarge):
        circuit.succeeded(era)
    elif isinstance(error, (UpstreamBroken, TimeoutError)):
        circuit.failed(era, _reason(error))
    else:
        # The caller went away, or the error is the gateway's own.
        circuit.abandoned(era)


def _reason(error: UpstreamBroken | TimeoutError) -> str:
    """The class of a failure, for the circuit's event."""
    if isinstance(error, TimeoutError):
        return "timeout"
    return "unreachable" if isinstance(error, _Unreachable) else "broken"


def _redirected(url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location))
        if target.origin() == url.origin():
            return target.with_fragment(None)
    except ValueError:
        pass
    raise UpstreamBroken("The FHIR server redirects to another address: register that one if it is right.")
