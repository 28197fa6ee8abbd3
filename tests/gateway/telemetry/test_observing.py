import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags

from gateway.errors import UpstreamBroken
from gateway.telemetry.observing import Telemetry

HOST_TRACE, HOST_SPAN = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331
CALLER = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}


class Rig:
    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.metrics = InMemoryMetricReader()
        self._traces = TracerProvider(shutdown_on_exit=False)
        self._traces.add_span_processor(SimpleSpanProcessor(self.spans))
        self._meters = MeterProvider([self.metrics], shutdown_on_exit=False)
        self.telemetry = Telemetry(self._traces, self._meters)

    def close(self) -> None:
        self._traces.shutdown()
        self._meters.shutdown()

    def outcomes(self) -> list[object]:
        collected = self.metrics.get_metrics_data()
        assert collected is not None
        return [
            dict(point.attributes or {})["outcome"]
            for metric in collected.resource_metrics[0].scope_metrics[0].metrics
            for point in metric.data.data_points
        ]


@pytest.fixture
def rig() -> Iterator[Rig]:
    opened = Rig()
    yield opened
    opened.close()


def test_the_hosts_trace_that_the_worker_made_current_comes_before_the_callers(rig: Rig) -> None:
    hosts = SpanContext(HOST_TRACE, HOST_SPAN, is_remote=True, trace_flags=TraceFlags(1))
    token = context.attach(trace.set_span_in_context(NonRecordingSpan(hosts)))
    try:
        with rig.telemetry.request("GET", "https://g.example/fhir/Patient/p1?name=x", CALLER) as observed:
            observed.status = 200
    finally:
        context.detach(token)
    (span,) = rig.spans.get_finished_spans()
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == (HOST_TRACE, HOST_SPAN)


@pytest.mark.parametrize(
    "sent", ["", "nonsense", "00-0-0-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
)
def test_a_traceparent_that_is_none_starts_a_trace(rig: Rig, sent: str) -> None:
    with rig.telemetry.request("GET", "https://g.example/fhir/Patient", {"traceparent": sent}):
        pass
    (span,) = rig.spans.get_finished_spans()
    assert span.parent is None


def test_a_method_is_one_of_a_few(rig: Rig) -> None:
    with rig.telemetry.request("FEATHERSTONE", "https://g.example/fhir/Patient", {}):
        pass
    assert rig.spans.get_finished_spans()[0].name == "_OTHER /fhir/{path}"


def test_of_a_failure_there_is_its_class_and_no_text(rig: Rig) -> None:
    with (
        rig.telemetry.request("GET", "https://g.example/fhir/Patient", {}) as observed,
        pytest.raises(UpstreamBroken),
        observed.timing.hop("upstream"),
        rig.telemetry.exchange("t1", "GET", "ehr.example"),
    ):
        raise UpstreamBroken("about Featherstone", detail="Featherstone")
    exchange, hop, _ = rig.spans.get_finished_spans()
    for span in (exchange, hop):
        assert span.attributes is not None
        assert span.attributes["error.type"] == "UpstreamBroken"
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
        assert span.events == ()
    assert observed.timing.seconds["upstream"] > 0
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_an_exchange_that_nobody_waits_for_any_more_is_cancelled(rig: Rig) -> None:
    async def exchange() -> None:
        with rig.telemetry.exchange("t1", "GET", "ehr.example"):
            await asyncio.sleep(10)

    task = asyncio.create_task(exchange())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(UpstreamBroken), rig.telemetry.exchange("t1", "GET", "ehr.example"):
        raise UpstreamBroken("no answer")
    with rig.telemetry.exchange("t1", "GET", "ehr.example") as watched:
        watched.status = 404
    assert sorted(map(str, rig.outcomes())) == ["4xx", "cancelled", "failed"]
