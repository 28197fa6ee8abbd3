import re
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from gateway.errors import InvalidScope

_GUID = re.compile(r"(?:tenant:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE)
# v2 scopes with a search restriction (`?…`) cannot be promised here, so they are none of these (SMART v2 §Scopes).
_READING_SCOPE = re.compile(r"system/(?P<type>\*|[A-Z][A-Za-z]{0,63})\.(?:(?P<v1>read|\*)|(?P<v2>c?r?u?d?s?))")
_EVERY_TYPE = "*"
_USUAL_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scope says: tenants by GUID, and SMART system scopes that narrow the token to resource types."""

    tenants: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    types: frozenset[str] | None = field(default=None)
    """Resource types that may be read; None: all."""

    def reaches(self, resource_type: str) -> bool:
        return self.types is None or resource_type in self.types


def parse_scope(text: str) -> Scope:
    """What `read_scope` returns; scopes of usual length are remembered, since each client sends the same few."""
    return _remembered(text) if len(text) <= _USUAL_CHARACTERS else read_scope(text)


def read_scope(text: str) -> Scope:
    """Read a space-separated scope (RFC 6749 §3.3). Items that are neither a tenant nor a SMART system scope that
    allows reading and searching are left out (contract: ignored and not part of the answer's scope).
    """
    tenants: dict[str, None] = {}
    system: list[str] = []
    types: set[str] = set()
    narrowed = False
    for item in text.split():
        if match := _GUID.fullmatch(item):
            tenants[str(UUID(match[1]))] = None
        elif item.startswith("system/"):
            # Whatever it says, it asks for less than everything: one that grants nothing here must not widen the token.
            narrowed = True
            match = _READING_SCOPE.fullmatch(item)
            if match and (match["v1"] or {"r", "s"} <= set(match["v2"])):
                system.append(item)
                types.add(match["type"])
    allowed = None if not narrowed or _EVERY_TYPE in types else frozenset(types)
    return Scope(tuple(tenants), tuple(system), allowed)


_remembered = lru_cache(maxsize=2048)(read_scope)


def only_tenant(scope: Scope) -> str | None:
    """The one tenant that the scope names, or None. Raises InvalidScope when it names several."""
    if len(scope.tenants) > 1:
        raise InvalidScope("several tenants in one scope")
    return scope.tenants[0] if scope.tenants else None
