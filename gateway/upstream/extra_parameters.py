"""A tenant's fixed query parameters in what is asked of its FHIR server: the tenant's to set, never a caller's.

A server may select whose records it shows by them, so a caller's parameter of the same name must not get there.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote, unquote_plus

from yarl import URL

from gateway.registry import Tenant

type Pairs = list[tuple[str, str]]
type _Pair = tuple[str, str]


def addressed(tenant: Tenant, url: URL) -> URL:
    """The address with every parameter of the tenant's, once. What else it holds stays letter by letter; so does a
    parameter that is right already, as in a next link of the server's.
    """
    if not tenant.extra_parameters:
        return url
    own = _own(tenant)
    address, _, query = str(url).partition("?")
    kept, missing = [], dict(own)
    for part in _parts(query):
        name = _name(part)
        if name not in own:
            kept.append(part)
        elif name in missing and _pair(part) == _pair(missing[name]):
            kept.append(part)
            del missing[name]
    return URL(f"{address}?{'&'.join([*kept, *missing.values()])}", encoded=True)


def without_extras(tenant: Tenant, target: str) -> str:
    """A path and query below the FHIR base, without parameters of these names."""
    path, mark, query = target.partition("?")
    if not mark or not tenant.extra_parameters:
        return target
    own = _own(tenant)
    kept = "&".join(part for part in _parts(query) if _name(part) not in own)
    return f"{path}?{kept}" if kept else path


def callers_own(tenant: Tenant, pairs: Iterable[_Pair]) -> Pairs:
    """Decoded parameters of a search, without those of these names."""
    if not tenant.extra_parameters:
        return list(pairs)
    own = _own(tenant)
    return [(name, value) for name, value in pairs if _plain(name) not in own]


def _own(tenant: Tenant) -> Mapping[str, str]:
    """What to add to a query, by the name in lower case."""
    return _encoded(tuple(tenant.extra_parameters.items()))


@lru_cache(maxsize=4096)
def _encoded(parameters: tuple[_Pair, ...]) -> Mapping[str, str]:
    return {name.lower(): f"{quote(name)}={quote(value, safe=':,/')}" for name, value in parameters}


def _parts(query: str) -> list[str]:
    return query.split("&") if query else []


def _pair(part: str) -> _Pair:
    name, _, value = part.partition("=")
    return unquote_plus(name), unquote_plus(value)


def _name(part: str) -> str:
    return _plain(unquote_plus(part.partition("=")[0]))


def _plain(name: str) -> str:
    """Without a modifier, and in lower case, as some servers read it."""
    return name.partition(":")[0].lower()
