import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from gateway.errors import UpstreamBroken, UpstreamTimeout
from gateway.registry import Tenant
from gateway.settings import Settings
from gateway.upstream.credentials import Credentials

_MAX_RESPONSE_BYTES = 50_000_000
_CONNECTIONS_PER_HOST = 128
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Upstream:
    """One HTTP client for every tenant's FHIR server."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, credentials: Credentials) -> None:
        self._session = session
        self._credentials = credentials
        self._timeout = settings.upstream_timeout_seconds

    async def send(
        self,
        tenant: Tenant,
        method: str,
        path_and_query: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
    ) -> UpstreamResponse:
        """Send one request below the tenant's FHIR base and read the whole answer.

        A token that the server refuses is renewed once. Raises UpstreamBroken, UpstreamTimeout.
        """
        base = tenant.fhir_url.rstrip("/")
        url = URL(f"{base}/{path_and_query}" if path_and_query else base, encoded=True)
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._exchange(tenant, method, url, headers, body)
                if response.status == _UNAUTHORIZED and self._credentials.forget(tenant):
                    response = await self._exchange(tenant, method, url, headers, body)
                return response
        except TimeoutError:
            raise UpstreamTimeout("The FHIR server did not answer in time.") from None
        except aiohttp.ClientError as error:
            raise UpstreamBroken("The FHIR server cannot be reached.", detail=type(error).__name__) from None

    async def _exchange(
        self, tenant: Tenant, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> UpstreamResponse:
        credentials = await self._credentials.headers(tenant)
        async with self._session.request(
            method, url, headers={**headers, **credentials}, data=body, allow_redirects=False
        ) as answer:
            chunks: list[bytes] = []
            size = 0
            async for chunk in answer.content.iter_any():
                size += len(chunk)
                if size > _MAX_RESPONSE_BYTES:
                    raise UpstreamBroken("The FHIR server's answer is too large.")
                chunks.append(chunk)
            return UpstreamResponse(answer.status, answer.headers, b"".join(chunks))


def open_session() -> aiohttp.ClientSession:
    """The process's one HTTP session. Call it on the running event loop."""
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=_CONNECTIONS_PER_HOST, ttl_dns_cache=60)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),  # a hospital's cookie must never reach another request
        timeout=aiohttp.ClientTimeout(total=None, connect=5),
        headers={"User-Agent": "patients-gateway"},
    )
