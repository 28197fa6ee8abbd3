"""Next links: where they may lead, and what the gateway remembers in them."""

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from yarl import URL

from gateway.errors import BadRequest, UpstreamBroken
from gateway.registry import Tenant

_PORTS = {"http": 80, "https": 443}


def resolve_link(tenant: Tenant, link: str, base: URL | None = None) -> URL:
    """A next link as an absolute address, relative ones against `base`: the request that it came with.

    Raises UpstreamBroken when it leads to another origin than the tenant's server: credentials would leave with it. A
    server behind a TLS proxy often writes `http` for its own `https`; that is mended.
    """
    home = urlsplit(tenant.fhir_url)
    try:
        target = urlsplit(urljoin(str(base) if base else tenant.fhir_url.rstrip("/") + "/", link))
        same = "@" not in target.netloc and _same_origin(home, target)
    except ValueError:
        same = False
    if not same:
        raise UpstreamBroken("The FHIR server's next page is at another address than the server's own.")
    # On the tenant's own origin, letter by letter, whatever the link called it.
    return URL(urlunsplit((home.scheme, home.netloc, target.path, target.query, "")), encoded=True)


def search_url(tenant: Tenant, resource_type: str) -> URL:
    """Where a type is searched by GET; relative links of a POST search are meant against it as well."""
    return URL(f"{tenant.fhir_url.rstrip('/')}/{resource_type}", encoded=True)


def _same_origin(home: SplitResult, target: SplitResult) -> bool:
    if (home.hostname or "") != (target.hostname or ""):
        return False
    if target.scheme == "http" and home.scheme == "https":
        return target.port in (None, _PORTS["http"])
    port, own = (parts.port or _PORTS.get(parts.scheme) for parts in (target, home))
    return target.scheme == home.scheme and port == own


@dataclass(frozen=True, slots=True)
class Continuation:
    """What follows a page, packed into the fragment of its link, which no server ever sees.

    Either the server's own next page, with what its results are held against (`offset` is None), or a search that the
    gateway runs again and answers from `offset` on.
    """

    resource_type: str
    parameters: tuple[tuple[str, str], ...] = ()
    offset: int | None = None

    def mark(self, url: str) -> str:
        pairs = [("type", self.resource_type), ("offset", "" if self.offset is None else str(self.offset))]
        return f"{url.partition('#')[0]}#{urlencode([*pairs, *self.parameters])}"

    @classmethod
    def of(cls, url: str) -> "tuple[str, Continuation | None]":
        """The address to ask, and the continuation when the link is one that `mark` made.

        Raises BadRequest for a damaged one.
        """
        address, _, fragment = url.partition("#")
        if not fragment:
            return address, None
        try:
            (_, resource_type), (_, offset), *parameters = parse_qsl(fragment, keep_blank_values=True)
            return address, cls(resource_type, tuple(parameters), int(offset) if offset else None)
        except ValueError:
            raise BadRequest("This page address is damaged: search again.") from None
