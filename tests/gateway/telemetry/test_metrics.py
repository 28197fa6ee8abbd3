import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from gateway.registry.cache import CacheReads, Source
from gateway.telemetry.metrics import OTHER, Metrics, TenantLabels
from gateway.telemetry.observing import route_of


def test_the_busiest_tenants_have_labels_and_the_others_share_one() -> None:
    labels = TenantLabels(most=2)
    assert [labels.count(tenant) for tenant in ("a", "b", "c", "a", "")] == ["a", "b", OTHER, "a", ""]
    for _ in range(10_000):
        labels.count("c")
    assert labels.label("c") == "c"
    assert len({tenant for tenant in ("a", "b", "c") if labels.label(tenant) != OTHER}) == 2


def test_ten_thousand_tenants_are_a_hundred_and_one_labels() -> None:
    labels = TenantLabels()
    assert len({labels.count(f"tenant {number % 10_000}") for number in range(25_000)}) <= 2 * 100 + 1
    assert len({labels.label(f"tenant {number}") for number in range(10_000)}) == 101


class Watched:
    reads = CacheReads(hits=7, misses=2, stale=1)
    source = Source("tenants", "table")


def test_caches_and_circuits_are_read_when_metrics_are_collected() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    metrics = Metrics(provider.get_meter("test"))
    suspended: dict[str, str] = {}
    metrics.watch([Watched()], lambda: suspended)
    metrics.request("/fhir/{path}", "t1", "r4", 200, 0.1)
    suspended |= {"t1": "open", "t2": "half-open", "t3": "open"}
    collected = reader.get_metrics_data()
    assert collected is not None
    told = {
        metric.name: {tuple(sorted(dict(point.attributes or {}).items())): point for point in metric.data.data_points}
        for metric in collected.resource_metrics[0].scope_metrics[0].metrics
    }
    provider.shutdown()
    reads = {dict(key)["result"]: getattr(point, "value", None) for key, point in told["gateway.cache.reads"].items()}
    assert reads == {"hits": 7, "misses": 2, "stale": 1}
    circuits = {
        (dict(key)["tenant"], dict(key)["state"]): getattr(point, "value", None)
        for key, point in told["gateway.circuits"].items()
    }
    # Of the three only t1 has had requests counted, so only it has a label of its own.
    assert circuits == {("t1", "open"): 1, (OTHER, "half-open"): 1, (OTHER, "open"): 1}


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/fhir", "/fhir/{path}"),
        ("/fhir/stu3/Patient/p1", "/fhir/{path}"),
        ("/FHIR/Patient", "/fhir/{path}"),
        ("/oauth2/token", "/oauth2/token"),
        ("/oauth2/upstream-jwks/6f1b", "/oauth2/{path}"),
        ("/manage/v1/tenants", "/manage/{path}"),
        ("/health/ready", "/health/ready"),
        ("/health/other", "/{path}"),
        ("/Featherstone", "/{path}"),
        ("", "/{path}"),
    ],
)
def test_a_route_is_a_template_and_never_what_stands_in_its_place(path: str, route: str) -> None:
    assert route_of(path) == route
