"""Traces and metrics of the real function app, before a hospital with patients."""

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.telemetry import start
from gateway.telemetry.logs import JsonFormatter
from gateway.telemetry.observing import Telemetry
from local.sandbox import ApiKeyAccess, load_hospital
from local.sandbox.app import build_app
from local.sandbox.hospitals import HOSPITALS_FOLDER
from tests.functions.harness import Everywhere, Gateway, Recorder, open_gateway, recorder
from tests.local.sandbox.asgi_client import Client

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
PATIENT = "nf-301"
# One who is nowhere in the hospital: an address that is refused names patients as well.
STRANGER = "Zzyzxfeatherstone"


@dataclass
class Seen:
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans.get_finished_spans() if span.name == name]

    def request(self) -> ReadableSpan:
        (span,) = [span for span in self.spans.get_finished_spans() if span.kind is SpanKind.SERVER]
        return span

    def points(self) -> dict[str, list[Any]]:
        collected = self.metrics.get_metrics_data()
        assert collected is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in collected.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@dataclass
class Observed:
    gateway: Gateway
    hospital: Recorder
    tenant_id: str
    seen: Seen


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def observed(
    azurite_accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Observed]:
    seen = Seen(InMemorySpanExporter(), InMemoryMetricReader())
    traces = TracerProvider(shutdown_on_exit=False)
    traces.add_span_processor(SimpleSpanProcessor(seen.spans))
    metrics = MeterProvider([seen.metrics], shutdown_on_exit=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "start_telemetry", lambda _: Telemetry(traces, metrics))
        keys = tmp_path_factory.mktemp("keys")
        async with open_gateway(next(azurite_accounts), keys) as gateway, recorder() as hospital:
            _serve_northfield(hospital)
            tenant_id = await gateway.tenant(hospital.base, "stu3")
            await gateway.token(tenant_id)
            yield Observed(gateway, hospital, tenant_id, seen)
    traces.shutdown()
    metrics.shutdown()


def _serve_northfield(server: Recorder) -> None:
    northfield = load_hospital("northfield")
    assert isinstance(northfield.access, ApiKeyAccess)
    client = Client(build_app(northfield), "", {northfield.access.header.lower(): northfield.access.key})

    async def answer(request: web.Request) -> web.Response:
        reply = await client.send(
            request.method, request.raw_path, await request.read(), accept="application/fhir+json"
        )
        return web.Response(body=reply.body, status=reply.status, headers={"Content-Type": "application/fhir+json"})

    server.answers = Everywhere(answer)


@pytest.fixture(autouse=True)
def _afresh(observed: Observed) -> None:
    observed.seen.spans.clear()
    observed.hospital.seen.clear()


async def test_a_read_is_a_span_with_a_span_for_every_hop(observed: Observed) -> None:
    answer = await observed.gateway.ask(
        observed.tenant_id, f"/fhir/Patient/{PATIENT}", headers={"traceparent": TRACEPARENT, "tracestate": "a=b"}
    )
    assert answer.status == 200
    request = observed.seen.request()
    assert request.name == "GET /fhir/{path}"
    assert request.attributes == {
        "http.request.method": "GET",
        "http.route": "/fhir/{path}",
        "http.response.status_code": 200,
        "tenant": observed.tenant_id,
        "face": "stu3",
    }
    assert request.context is not None
    assert request.parent is not None
    assert (f"{request.context.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, PARENT)
    for hop in ("auth", "map", "upstream", "adapt"):
        spans = observed.seen.named(hop)
        assert spans, hop
        assert all(span.parent is not None and span.parent.span_id == request.context.span_id for span in spans)


async def test_the_hospital_gets_traceparent_and_nothing_else_of_the_caller(observed: Observed) -> None:
    await observed.gateway.ask(
        observed.tenant_id,
        f"/fhir/Patient/{PATIENT}",
        headers={"traceparent": TRACEPARENT, "tracestate": "vendor=secret", "baggage": "user=somebody"},
    )
    (exchange, *_) = [span for span in observed.seen.spans.get_finished_spans() if span.kind is SpanKind.CLIENT]
    (hop, *_) = observed.seen.named("upstream")
    assert exchange.context is not None
    assert hop.context is not None
    assert exchange.parent is not None
    assert exchange.parent.span_id == hop.context.span_id
    assert exchange.name == "GET"
    assert exchange.attributes == {
        "http.request.method": "GET",
        "server.address": "localhost",
        "tenant": observed.tenant_id,
        "http.response.status_code": 200,
    }
    (asked, *_) = observed.hospital.seen
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["traceparent"] == f"00-{TRACE}-{exchange.context.span_id:016x}-01"
    assert not {"tracestate", "baggage"} & headers.keys()


async def test_every_request_has_a_trace_without_a_caller_that_has_one(observed: Observed) -> None:
    answer = await observed.gateway.caller.request("GET", "/health/live")
    assert answer.status == 200
    request = observed.seen.request()
    assert (request.name, request.parent) == ("GET /health/live", None)


async def test_a_refused_request_is_no_failure_of_the_service(observed: Observed) -> None:
    answer = await observed.gateway.caller.request("GET", "/fhir/Patient/1")
    assert answer.status == 401
    request = observed.seen.request()
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 401
    assert request.status.status_code is StatusCode.UNSET
    (auth,) = observed.seen.named("auth")
    assert auth.attributes == {"error.type": "TokenRequired"}


async def test_the_entries_of_a_batch_are_in_its_trace(observed: Observed) -> None:
    await observed.gateway.batch(
        observed.tenant_id, "", [f"Condition?patient={PATIENT}", f"Encounter?patient={PATIENT}"]
    )
    request = observed.seen.request()
    assert request.context is not None
    assert {span.context.trace_id for span in observed.seen.spans.get_finished_spans() if span.context} == {
        request.context.trace_id
    }


async def test_metrics_tell_tenant_face_and_class_of_status(observed: Observed) -> None:
    before = {name: len(points) for name, points in observed.seen.points().items()}
    assert before["gateway.cache.reads"] == 5 * 3
    answer = await observed.gateway.ask(observed.tenant_id, f"/fhir/dstu2/Patient/{PATIENT}")
    assert answer.status == 200, answer.body
    points = observed.seen.points()
    labels = [dict(point.attributes) for point in points["gateway.request.duration"]]
    assert {
        "route": "/fhir/{path}",
        "tenant": observed.tenant_id,
        "face": "dstu2",
        "status_class": "2xx",
    } in labels
    exchanged = [dict(point.attributes) for point in points["gateway.upstream.duration"]]
    assert {"tenant": observed.tenant_id, "outcome": "2xx"} in exchanged
    issued = [point.value for point in points["gateway.tokens"] if point.attributes["outcome"] == "issued"]
    assert issued
    assert issued[0] >= 1
    hits = {
        point.attributes["cache"]: point.value
        for point in points["gateway.cache.reads"]
        if point.attributes["result"] == "hits"
    }
    assert hits.keys() == {"tenants", "clients", "revocations", "signing-keys", "pepper"}
    assert hits["tenants"] > 0


async def test_no_attribute_holds_a_word_of_a_patient(observed: Observed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask, tenant_id = observed.gateway.ask, observed.tenant_id
    for patient in _patients():
        reference = patient["id"]
        await ask(tenant_id, f"/fhir/Patient/{reference}")
        await ask(
            tenant_id, f"/fhir/Patient?family={quote(patient['name'][0]['family'])}&birthdate={patient['birthDate']}"
        )
        await observed.gateway.search(tenant_id, "/fhir/Condition/_search", [("patient", reference)])
        await observed.gateway.batch(tenant_id, "/dstu2", [f"Encounter?patient={reference}", f"Patient/{reference}"])
    await ask(tenant_id, f"/fhir/{STRANGER}/1?name={STRANGER}")
    await ask(tenant_id, f"/fhir/Patient/{STRANGER}")
    await observed.gateway.caller.request("GET", f"/{STRANGER}")
    spans = observed.seen.spans.get_finished_spans()
    assert len(spans) > 50
    told = "\n".join(
        [f"{span.name} {dict(span.attributes or {})} {span.events} {span.status.description}" for span in spans]
        + [str([dict(point.attributes) for point in points]) for points in observed.seen.points().values()]
        + [JsonFormatter().format(record) for record in caplog.records]
    )
    for word in [STRANGER, *_words()]:
        assert word not in told, word


def _patients() -> list[dict[str, Any]]:
    lines = (HOSPITALS_FOLDER / "northfield" / "Patient.ndjson").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines][:8]


def _words() -> Iterator[str]:
    for patient in _patients():
        yield patient["id"]
        yield patient["birthDate"]
        yield from (identifier["value"] for identifier in patient["identifier"])
        for name in patient["name"]:
            yield name["family"]
            yield from name["given"]


async def test_a_defect_on_the_fhir_route_is_an_outcome_and_a_failed_span(
    observed: Observed, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LookupError(STRANGER)

    monkeypatch.setattr(observed.gateway.service.fhir, "handle", fail)
    answer = await observed.gateway.ask(observed.tenant_id, "/fhir/dstu2/Patient/1")
    assert (answer.status, answer.json["issue"][0]["code"]) == (500, "exception")
    assert answer.headers["content-type"].startswith("application/json+fhir")
    assert observed.seen.request().status.status_code is StatusCode.ERROR
    assert STRANGER not in str([vars(record) for record in caplog.records]) + str(answer.json)
    assert "request-failed" in [vars(record).get("event") for record in caplog.records]


async def test_a_trace_that_is_not_sampled_makes_no_span_and_is_passed_on_all_the_same(observed: Observed) -> None:
    unsampled = f"00-{TRACE}-{PARENT}-00"
    answer = await observed.gateway.ask(
        observed.tenant_id, f"/fhir/Patient/{PATIENT}", headers={"traceparent": unsampled}
    )
    assert answer.status == 200
    assert observed.seen.spans.get_finished_spans() == ()
    headers = {name.lower(): value for name, value in observed.hospital.seen[0].headers.items()}
    version, trace_id, _, flags = headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "00")
