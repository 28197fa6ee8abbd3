"""Name, connection and certificate, each by itself, so that a report can say which of them fails."""

import asyncio
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from gateway.conformance.evidence import Network, Tls
from gateway.upstream.addresses import is_public

_TIMEOUT_SECONDS = 10
_DEFAULT_PORTS = {"https": 443, "http": 80}
# X509_V_ERR_… of OpenSSL
_VERIFY_PROBLEMS = {9: "not-yet-valid", 10: "expired", 62: "hostname", 64: "hostname"}


async def probe_network(fhir_url: str, tls: ssl.SSLContext, *, public_only: bool) -> Network:
    """Resolve, connect and shake hands, as far as it goes. Nothing is sent beyond the handshake.

    `public_only`: no connection is made where any address of the name is not public (ADR 0011).
    """
    url = urlsplit(fhir_url)
    host, port = url.hostname or "", url.port or _DEFAULT_PORTS[url.scheme]
    began = time.perf_counter()
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=2)
    except (OSError, UnicodeError):
        return Network(url.scheme, loopback=False, dns_milliseconds=_since(began))
    dns = _since(began)
    addresses = {str(entry[4][0]) for entry in found}
    loopback = all(ip_address(address.partition("%")[0]).is_loopback for address in addresses)
    if public_only and not all(map(is_public, addresses)):
        return Network(url.scheme, loopback, len(addresses), dns, private=True)
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return Network(url.scheme, loopback, len(addresses), dns, tcp_milliseconds=_since(began))
    tcp = _since(began)
    await _close(writer)
    handshake = await _shake_hands(host, port, tls) if url.scheme == "https" else None
    return Network(url.scheme, loopback, len(addresses), dns, connected=True, tcp_milliseconds=tcp, tls=handshake)


async def _shake_hands(host: str, port: int, tls: ssl.SSLContext) -> Tls:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return Tls(problem=_VERIFY_PROBLEMS.get(error.verify_code, "untrusted"), milliseconds=_since(began))
    except (OSError, TimeoutError):
        return Tls(problem="handshake", milliseconds=_since(began))
    took = _since(began)
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    certificate = connection.getpeercert() or {}
    protocol = connection.version() or ""
    await _close(writer)
    ends = str(certificate.get("notAfter", ""))
    days = None
    if ends:
        days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) - datetime.now(UTC)).days
    return Tls(protocol=protocol, days_left=days, milliseconds=took)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    # The other end may have gone first, or send what nobody waits for: either way the connection is closed.
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await writer.wait_closed()


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
