"""Where requests may go (ADR 0011)."""

import ipaddress
from urllib.parse import urlsplit

from gateway.settings import Settings

# Azure's own platform address: public by its number, but the host's agent answers there.
_PLATFORM = frozenset({ipaddress.ip_address("168.63.129.16")})
# They carry an IPv4 address inside, or lead out through a translator that decides by itself.
_TRANSLATED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "fec0::/10",  # site-local, deprecated, still routed inside
    )
)
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa")


class AddressRefused(ValueError):
    """The message says why, in words for whoever typed the address; it never holds the address itself."""


def check_address(url: str, settings: Settings) -> None:
    """Raise AddressRefused when no request may go to `url`: an upstream, a token endpoint or a key document.

    It must be https, to a public host, without user name, password or fragment. `ALLOW_PRIVATE_UPSTREAMS` lets http and
    private hosts pass. A name may still resolve to a private address: connections are checked again when they are made.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("This is not an absolute address.") from None
    if parts.scheme not in ("https", "http") or not host:
        raise AddressRefused("The address must begin with https:// and name a host.")
    if "@" in parts.netloc:
        raise AddressRefused("An address must not hold a user name or password.")
    if parts.fragment or any(character <= " " or character == "\\" for character in url):
        raise AddressRefused("The address holds a fragment, a space or a backslash.")
    if port == 0:
        raise AddressRefused("Port 0 is none.")
    if not settings.allow_private_upstreams:
        _check_public(parts.scheme, host.rstrip(".").lower())


def _check_public(scheme: str, name: str) -> None:
    if scheme != "https":
        raise AddressRefused("The address must begin with https://.")
    if name == "localhost" or name.endswith(_LOCAL_NAMES):
        raise AddressRefused("The host is a name inside a private network.")
    if _looks_numeric(name) and not is_public(name):
        raise AddressRefused("The host is a private, local or otherwise reserved address.")
    if "." not in name and ":" not in name:
        raise AddressRefused("The host must be a full domain name.")


def is_public(address: str) -> bool:
    """Whether a connection to this IP address (text, without brackets) leads into the public internet.

    False for private, loopback, link-local, carrier-grade NAT, multicast, documentation and reserved ranges, for
    addresses that carry another one inside, for Azure's platform address, and for what is no plain address.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip in _PLATFORM or ip.is_multicast or not ip.is_global:
        return False
    return ip.version == 4 or not any(ip in network for network in _TRANSLATED)  # noqa: PLR2004  # IPv4


def _looks_numeric(name: str) -> bool:
    """IP literals, and the spellings that resolvers take for one: 127.1, 0x7f000001, 2130706433."""
    last = name.rpartition(".")[2]
    return ":" in name or last.isdigit() or last.startswith("0x")
