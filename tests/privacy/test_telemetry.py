"""Every span, metric and log record of a visit to all patients of all sandbox hospitals, searched for them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.telemetry import start
from gateway.telemetry.observing import Telemetry
from local.patients_app import chart_requests
from local.sandbox.app import build_app
from local.sandbox.hospitals import Hospital, OpenAccess, load_hospitals
from tests.functions.harness import Everywhere, Gateway, Recorder, Responder, open_gateway, recorder
from tests.local.sandbox.asgi_client import Client
from tests.privacy.every_process import recording
from tests.privacy.patients import patient_needles
from tests.privacy.search import Search

LOGGERS = ("gateway", "functions", "azure_functions_runtime", "aiohttp", "asyncio", "azure")


@dataclass
class Told:
    """What the service tells about itself while it is watched."""

    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader
    records: Path

    def texts(self) -> Iterator[tuple[str, str]]:
        for span in self.spans.get_finished_spans():
            yield "span", span.to_json(indent=None)
        collected = self.metrics.get_metrics_data()
        assert collected is not None
        for resource in collected.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    yield "metric", metric.to_json(indent=None)
        for path in self.records.glob("*.log"):
            for line in path.read_text(encoding="utf-8").splitlines():
                yield "log", line


@dataclass
class Place:
    gateway: Gateway
    tenants: dict[str, str]
    told: Told


@pytest_asyncio.fixture
async def place(tables_connection: str, tmp_path: Path) -> AsyncIterator[Place]:
    told = Told(InMemorySpanExporter(), InMemoryMetricReader(), tmp_path / "records")
    traces = TracerProvider(shutdown_on_exit=False)
    traces.add_span_processor(SimpleSpanProcessor(told.spans))
    metrics = MeterProvider([told.metrics], shutdown_on_exit=False)
    with pytest.MonkeyPatch.context() as patch, recording.start(told.records, "tests", ours=LOGGERS):
        patch.setattr(start, "start_telemetry", lambda _: Telemetry(traces, metrics))
        async with AsyncExitStack() as stack:
            settings = {"LOG_LEVEL": "DEBUG", "MAX_BATCH_ENTRIES": "10"}
            gateway = await stack.enter_async_context(open_gateway(tables_connection, tmp_path / "keys", **settings))
            tenants = {}
            for hospital in load_hospitals():
                server = await stack.enter_async_context(recorder())
                server.answers = Everywhere(_hospital(hospital, server))
                base = f"{server.origin}{hospital.base_path}"
                tenants[hospital.name] = await gateway.tenant(base, hospital.version)
            yield Place(gateway, tenants, told)
    traces.shutdown()
    metrics.shutdown()


def _hospital(hospital: Hospital, server: Recorder) -> Responder:
    client = Client(build_app(replace(hospital, access=OpenAccess())), "", {"host": server.origin.partition("//")[2]})

    async def answer(request: web.Request) -> web.Response:
        sent = {name: value for name, value in request.headers.items() if name.lower() in ("accept", "content-type")}
        body = await request.read()
        reply = await client.send(request.method, request.raw_path, body, **{k.lower(): v for k, v in sent.items()})
        return web.Response(body=reply.body, status=reply.status, headers={"Content-Type": "application/fhir+json"})

    return answer


@pytest.mark.e2e  # a hundred and fifty requests
async def test_no_span_metric_or_log_record_tells_of_a_patient_or_a_secret(place: Place) -> None:
    gateway, shown = place.gateway, 0
    for hospital in load_hospitals():
        lines = (hospital.folder / "Patient.ndjson").read_text(encoding="utf-8").splitlines()
        for patient in map(orjson.loads, lines):
            shown += await _visit(gateway, place.tenants[hospital.name], hospital, patient)
    assert shown == 18 * 2  # each of the patients of three hospitals, read and found

    secrets = {
        gateway.secret,
        *gateway.tokens.values(),
        *(token.rpartition(".")[2] for token in gateway.tokens.values()),
    }
    search = Search(patient_needles(), frozenset(secrets))
    counted: dict[str, int] = {}
    for where, text in place.told.texts():
        counted[where] = counted.get(where, 0) + 1
        search.look(where, text)
    assert [str(finding) for finding in search.findings] == []
    # One request is several spans, and an access event for every entry of a batch.
    assert counted["span"] > 500
    assert counted["log"] > 200
    assert counted["metric"] >= 2


async def _visit(gateway: Gateway, tenant: str, hospital: Hospital, patient: dict[str, Any]) -> int:
    """All that the app asks about a patient, and some that goes wrong; how often the patient was shown."""
    face, patient_id, name = f"/fhir/{hospital.version}", patient["id"], patient["name"][0]
    family = name["family"] if isinstance(name["family"], str) else name["family"][0]
    read = await gateway.ask(
        tenant, f"{face}/Patient/{patient_id}", headers={"traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"}
    )
    found = await gateway.search(
        tenant, f"{face}/Patient/_search", [("family", family), ("birthdate", patient["birthDate"])]
    )
    await gateway.batch(tenant, f"/{hospital.version}", chart_requests(hospital.version, patient_id))
    for wrong in (
        f"/Patient/{patient_id}-{quote(family)}",
        f"/{quote(family)}/{patient_id}",
        f"/Patient?birthdate={quote(family)}",
        f"/Patient?_page={quote(family)}",
        f"/Observation?patient={patient_id}&date={quote(family)}",
        f"/Patient/{patient_id}/$everything?name={quote(family)}",
    ):
        await gateway.ask(tenant, face + wrong)
    await gateway.caller.request(
        "GET", f"{face}/Patient/{patient_id}", headers={"authorization": f"Bearer {patient_id}"}
    )
    return (read.status == 200) + any(one["id"] == patient_id for one in found.resources)


def test_the_search_sees_into_spans_metrics_and_records(tmp_path: Path) -> None:
    planted = {"span": "Whitcomb", "metric": "Thompson", "log": "Kowalczyk"}
    traces = TracerProvider(shutdown_on_exit=False)
    exporter = InMemorySpanExporter()
    traces.add_span_processor(SimpleSpanProcessor(exporter))
    with traces.get_tracer("t").start_as_current_span("GET /") as span:
        span.set_attribute("url.query", f"family={planted['span']}")
    traces.shutdown()
    reader = InMemoryMetricReader()
    metrics = MeterProvider([reader], shutdown_on_exit=False)
    metrics.get_meter("t").create_counter("reads").add(1, {"patient": planted["metric"]})
    (tmp_path / "tests.log").write_text(f"INFO gateway: read {planted['log']}\n")
    search = Search(patient_needles(), frozenset())
    for where, text in Told(exporter, reader, tmp_path).texts():
        search.look(where, text)
    metrics.shutdown()
    assert {finding.where: finding.needle.text for finding in search.findings} == planted
