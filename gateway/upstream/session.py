import socket

import aiohttp
from aiohttp.abc import AbstractResolver

from gateway.settings import Settings
from gateway.upstream.addresses import is_public
from gateway.upstream.connections import Connector
from gateway.upstream.names import NameResolver

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_IDLE_SECONDS = 30
_DNS_SECONDS = 30

type _AddressInfo = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]
]


class PrivateAddress(OSError):
    """A name resolved to, or an address was, one that requests may not go to; it is not named."""

    def __init__(self) -> None:
        super().__init__("not a public address")


class NotHttps(aiohttp.ClientError):
    """A request without TLS was about to be sent."""


def open_session(settings: Settings, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """The process's HTTP session, for upstreams, token endpoints and key documents. Call it on the running event loop.

    Unless `ALLOW_PRIVATE_UPSTREAMS`, it speaks https only and connects to public addresses only. The address is looked
    at when the socket is made, so neither an IP literal nor a name that resolves anew slips by; what is refused is a
    ClientConnectorError whose `os_error` is PrivateAddress, or NotHttps. Cookies are never kept.

    Connections are not limited here but per tenant (`lanes`): many tenants may share one host.
    """
    guarded = not settings.allow_private_upstreams
    connector = Connector(
        limit=0,
        ttl_dns_cache=_DNS_SECONDS,
        keepalive_timeout=_IDLE_SECONDS,
        resolver=resolver or NameResolver(),
        socket_factory=_public_socket if guarded else None,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),  # a hospital's cookie must never reach another request
        timeout=aiohttp.ClientTimeout(
            total=None,
            sock_connect=_CONNECT_SECONDS,
            # Two timers a request, which nobody needs where the time of the whole request is no longer.
            sock_read=_READ_SECONDS if settings.upstream_timeout_seconds > _READ_SECONDS else None,
        ),
        headers={"User-Agent": "patients-gateway"},
        middlewares=(_https_only,) if guarded else (),
        max_line_size=32_768,
        max_field_size=32_768,
    )


def _public_socket(info: _AddressInfo) -> socket.socket:
    family, kind, protocol, _, address = info
    if not is_public(address[0]):
        raise PrivateAddress
    return socket.socket(family, kind, protocol)


async def _https_only(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    if request.url.scheme != "https":
        raise NotHttps
    return await handler(request)
