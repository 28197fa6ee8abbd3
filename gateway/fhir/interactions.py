import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import BadRequest, MethodNotAllowed, NotFound

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
# Only dots is an id for FHIR, but a way to the parent for a web server.
_ID = re.compile(r"(?!\.+(?:/|$))[A-Za-z0-9.-]{1,64}")
_INSTANCE = re.compile(rf"({_TYPE.pattern})/({_ID.pattern})(/_history(?:/({_ID.pattern}))?)?")
_READING = frozenset({"GET", "HEAD"})


class Kind(StrEnum):
    READ = "read"
    VREAD = "vread"
    HISTORY = "history-instance"
    SEARCH = "search-type"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Interaction:
    """A FHIR RESTful interaction (http.html): nothing about hosts or versions."""

    kind: Kind
    resource_type: str = ""
    id: str = ""
    version_id: str = ""

    @property
    def path(self) -> str:
        """Relative to a FHIR base, as a GET."""
        match self.kind:
            case Kind.READ:
                return f"{self.resource_type}/{self.id}"
            case Kind.VREAD:
                return f"{self.resource_type}/{self.id}/_history/{self.version_id}"
            case Kind.HISTORY:
                return f"{self.resource_type}/{self.id}/_history"
            case Kind.SEARCH:
                return self.resource_type
            case Kind.BATCH:
                return ""


def parse_interaction(method: str, path: str) -> Interaction:
    """What a request asks for. `path` is below the face, decoded, without leading slash.

    Raises MethodNotAllowed for what the gateway does not do there, NotFound for paths that mean nothing in FHIR,
    BadRequest for an id that is none.
    """
    path = path.rstrip("/")
    if found := _INSTANCE.fullmatch(path):
        resource_type, resource_id, history, version_id = found.groups()
        kind = Kind.VREAD if version_id else Kind.HISTORY if history else Kind.READ
        return _allowed(method, _READING, Interaction(kind, resource_type, resource_id, version_id or ""))
    if not path:
        if method == "POST":
            return Interaction(Kind.BATCH)
        raise MethodNotAllowed("At the base address the gateway answers only a batch sent by POST.", "POST")
    resource_type, *rest = path.split("/")
    if not _TYPE.fullmatch(resource_type):
        raise (_unsupported() if resource_type.startswith(("$", "_")) else NotFound("This is no FHIR resource type."))
    if not rest:
        return _allowed(method, _READING, Interaction(Kind.SEARCH, resource_type))
    if rest == ["_search"]:
        return _allowed(method, frozenset({"POST"}), Interaction(Kind.SEARCH, resource_type))
    if rest[0].startswith("_") or any(part.startswith(("$", "*")) for part in rest) or _ID.fullmatch(rest[0]):
        raise _unsupported()
    raise BadRequest("A resource id has 1 to 64 letters, digits, hyphens and dots.")


def _allowed(method: str, methods: frozenset[str], interaction: Interaction) -> Interaction:
    if method not in methods:
        raise MethodNotAllowed("This service is read-only.", ", ".join(sorted(methods)))
    return interaction


def _unsupported() -> MethodNotAllowed:
    # RFC 9110 §10.2.1: an empty Allow says that no method is allowed here.
    return MethodNotAllowed("This interaction is not supported: the gateway reads, searches and batches.", "")
