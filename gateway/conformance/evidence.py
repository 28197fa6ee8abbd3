"""What came back, in memory only: reports are made of paths and counts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.conformance.calls import Request, Side
from gateway.conformance.fields import kind_of
from gateway.conformance.paths import Resource
from gateway.versions import FhirVersion

_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `problem` is a fixed text when there is no FHIR resource to look at."""

    request: Request
    status: int
    milliseconds: float
    size: int = 0
    media_type: str = ""
    resource: Resource | None = None
    problem: str = ""

    @property
    def sent(self) -> str:
        return self.request.shown

    @property
    def ok(self) -> bool:
        return self.status in _OK and self.resource is not None

    @property
    def bundle(self) -> Resource | None:
        """The Bundle of a successful search."""
        resource = self.resource
        return resource if self.ok and resource and resource.get("resourceType") == "Bundle" else None

    def matches(self, resource_type: str) -> list[Resource]:
        """The resources that a search found, without included ones and outcomes."""
        return [resource for resource in _entries(self.bundle) if resource.get("resourceType") == resource_type]

    def described(self) -> str:
        """The answer in a few fixed words."""
        if self.problem:
            return f"{self.status} {self.problem}" if self.status else self.problem
        kind = (self.resource or {}).get("resourceType", "nothing")
        return f"{self.status} {kind if kind in _KNOWN else 'another resource'}"


_KNOWN = frozenset({"Bundle", "OperationOutcome", "CapabilityStatement", "Conformance", "nothing"})


@dataclass(frozen=True, slots=True)
class Tls:
    """A handshake: `problem` is `expired`, `not-yet-valid`, `hostname`, `untrusted` or `handshake`; else empty."""

    problem: str = ""
    protocol: str = ""
    days_left: int | None = None
    milliseconds: float = 0


@dataclass(frozen=True, slots=True)
class Network:
    """How the server is reached, before HTTP."""

    scheme: str
    loopback: bool
    addresses: int = 0
    dns_milliseconds: float = 0
    private: bool = False
    """It leads into a private network, where the gateway connects to nothing."""
    connected: bool = False
    tcp_milliseconds: float = 0
    tls: Tls | None = None

    @property
    def usable(self) -> bool:
        """Whether credentials and patients' data may go this way."""
        return self.connected and (self.tls is None or not self.tls.problem)


@dataclass(frozen=True, slots=True)
class Grant:
    """The credential for the server: how it was got, and what went wrong with it (a fixed text)."""

    kind: str
    milliseconds: float = 0
    problem: str = ""

    @property
    def by_token(self) -> bool:
        return self.kind not in ("none", "header", "basic")


@dataclass(slots=True)
class Evidence:
    """All that one side answered, by probe. `patients` is the sample, in the order of ids; `registered` the version
    that the tenant is registered with; `throttled` how often the server answered 429.
    """

    side: Side
    version: FhirVersion
    mrn_system: str | None = None
    registered: FhirVersion | None = None
    most_pages: int = 1
    throttled: int = 0
    network: Network | None = None
    grant: Grant | None = None
    patients: list[Resource] = field(default_factory=list)
    exchanges: dict[str, list[Exchange | None]] = field(default_factory=dict)
    limit_reached: bool = False

    def place(self, probe: str) -> int:
        """A place for the answer to a request that is sent now: answers are kept in the order of asking."""
        places = self.exchanges.setdefault(probe, [])
        places.append(None)
        return len(places) - 1

    def add(self, exchange: Exchange, place: int) -> None:
        self.exchanges[exchange.request.probe][place] = exchange

    def of(self, probe: str) -> list[Exchange]:
        return [exchange for exchange in self.exchanges.get(probe, ()) if exchange is not None]

    def one(self, probe: str) -> Exchange | None:
        return next(iter(self.of(probe)), None)

    def all(self) -> Iterator[Exchange]:
        for probe in self.exchanges:
            yield from self.of(probe)

    def resource_type(self, kind: str) -> str:
        return kind_of(self.version, kind).resource_type

    def sent(self, kind: str) -> tuple[str, ...]:
        """The requests that brought the resources of a kind, each once."""
        probes = ("list-post", "list-get") if kind == "patient" else (kind,)
        return tuple(dict.fromkeys(one.sent for probe in probes for one in self.of(probe)))

    def resources(self, kind: str) -> list[Resource]:
        """Every resource of a kind that the sample's charts hold, each once."""
        if kind == "patient":
            return self.patients
        found: dict[str, Resource] = {}
        for exchange in self.of(kind):
            for number, resource in enumerate(exchange.matches(self.resource_type(kind))):
                found.setdefault(str(resource.get("id", f"{exchange.request.patient} {number}")), resource)
        return list(found.values())


def _entries(bundle: Resource | None) -> Iterator[Resource]:
    entries = (bundle or {}).get("entry")
    for entry in entries if isinstance(entries, list) else []:
        resource: Any = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and _mode(entry) in (None, "match"):
            yield resource


def _mode(entry: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON from a stranger
    search = entry.get("search")
    return search.get("mode") if isinstance(search, dict) else None
