"""The instruments, and how many time series they can make: docs/observability.md says it in numbers."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from opentelemetry.metrics import CallbackOptions, Meter, Observation

MOST_TENANTS = 100
OTHER = "other"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
_CHOSEN_EVERY = 10_000
_TOKEN_OUTCOMES = {200: "issued", 400: "refused", 401: "refused", 429: "limited"}


class TenantLabels:
    """The ids of the tenants with the most requests, up to `most`; every other tenant is `other`, so that ten thousand
    tenants do not make ten thousand time series. Who is among them is looked at anew every 10,000 requests.
    """

    def __init__(self, most: int = MOST_TENANTS) -> None:
        self._most = most
        self._counts: Counter[str] = Counter()
        self._chosen: set[str] = set()
        self._until_choice = _CHOSEN_EVERY

    def count(self, tenant_id: str) -> str:
        """The label for a request of that tenant (empty: of none)."""
        if not tenant_id:
            return ""
        self._counts[tenant_id] += 1
        if len(self._chosen) < self._most:
            self._chosen.add(tenant_id)
        self._until_choice -= 1
        if self._until_choice <= 0:
            self._choose()
        return self.label(tenant_id)

    def label(self, tenant_id: str) -> str:
        return tenant_id if not tenant_id or tenant_id in self._chosen else OTHER

    def _choose(self) -> None:
        self._chosen = set(heapq.nlargest(self._most, self._counts, key=self._counts.__getitem__))
        # Older requests count for less, and who asks no more is forgotten.
        self._counts = Counter({tenant: count // 2 for tenant, count in self._counts.items() if count > 1})
        self._until_choice = _CHOSEN_EVERY


class Reads(Protocol):
    hits: int
    misses: int
    stale: int


class Source(Protocol):
    name: str


class CacheCounts(Protocol):
    """A cache, as far as metrics are concerned: `gateway.registry.cache.Cache`."""

    @property
    def reads(self) -> Reads: ...

    @property
    def source(self) -> Source: ...


class Metrics:
    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._tenants = TenantLabels()
        self._requests = meter.create_histogram(
            "gateway.request.duration",
            unit="s",
            description="Requests that were answered, by route, tenant, face and class of status",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._exchanges = meter.create_histogram(
            "gateway.upstream.duration",
            unit="s",
            description="Exchanges with FHIR servers, by tenant and class of status",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_counter(
            "gateway.tokens", unit="{request}", description="Token requests, by outcome"
        )

    def request(self, route: str, tenant_id: str, face: str, status: int, seconds: float) -> None:
        labels = {
            "route": route,
            "tenant": self._tenants.count(tenant_id),
            "face": face,
            "status_class": f"{status // 100}xx",
        }
        self._requests.record(seconds, labels)
        if route == "/oauth2/token":
            self._tokens.add(1, {"outcome": _TOKEN_OUTCOMES.get(status, "failed")})

    def exchange(self, tenant_id: str, outcome: str, seconds: float) -> None:
        self._exchanges.record(seconds, {"tenant": self._tenants.label(tenant_id), "outcome": outcome})

    def watch(self, caches: Iterable[CacheCounts], suspended: Callable[[], Mapping[str, str]]) -> None:
        watched = tuple(caches)

        def reads(_: CallbackOptions) -> Iterable[Observation]:
            for cache in watched:
                for result in ("hits", "misses", "stale"):
                    yield Observation(getattr(cache.reads, result), {"cache": cache.source.name, "result": result})

        def circuits(_: CallbackOptions) -> Iterable[Observation]:
            states = Counter((self._tenants.label(tenant_id), state) for tenant_id, state in suspended().items())
            for (tenant, state), number in states.items():
                yield Observation(number, {"tenant": tenant, "state": state})

        self._meter.create_observable_counter(
            "gateway.cache.reads",
            [reads],
            unit="{read}",
            description="Reads of what is remembered, by cache and result",
        )
        self._meter.create_observable_gauge(
            "gateway.circuits", [circuits], unit="{server}", description="FHIR servers that are being given a pause"
        )
