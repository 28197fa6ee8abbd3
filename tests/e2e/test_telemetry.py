"""What a running service sends to Application Insights, taken in by a server that stands in its place."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from local.stack_file import Stack, read_stack
from tests.e2e.conftest import LocalCommand, own_environment
from tests.privacy.patients import patient_needles

pytestmark = pytest.mark.e2e

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PATIENT = "nf-301"
ASKED = 3
NEEDED = {"Request", "RemoteDependency", "Message"}
METRICS = {"gateway.request.duration", "gateway.upstream.duration", "gateway.tokens", "gateway.cache.reads"}


class Ingestion:
    def __init__(self) -> None:
        self.envelopes: list[dict[str, Any]] = []
        taken = self.envelopes

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                sent = json.loads(body)
                taken.extend(sent)
                answer = json.dumps({"itemsReceived": len(sent), "itemsAccepted": len(sent), "errors": []}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one["data"]["baseData"] for one in self.envelopes if one["data"]["baseType"] == f"{kind}Data"]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [one["properties"] for one in self.of("Message") if one.get("properties", {}).get("event") == name]


@pytest.fixture(scope="module")
def ingestion() -> Iterator[Ingestion]:
    server = Ingestion()
    yield server
    server.close()


@pytest.fixture(scope="module")
def told(
    ingestion: Ingestion, tmp_path_factory: pytest.TempPathFactory, run_local: LocalCommand
) -> Iterator[tuple[Ingestion, Path]]:
    """After a read, a search and a refused token request, with everything sent."""
    state = tmp_path_factory.mktemp("stack")
    environment = {
        **own_environment(state),
        "APPLICATIONINSIGHTS_CONNECTION_STRING": (
            f"InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint={ingestion.address}"
        ),
        # The exporter's own statistics and remote configuration go to servers of Microsoft's.
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        "OTEL_TRACES_SAMPLER": "always_on",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_BLRP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "LOG_LEVEL": "DEBUG",
    }
    started = run_local("up", environment)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        stack = read_stack(state)
        assert stack is not None
        _use(stack)
        deadline = time.monotonic() + 30
        while not _complete(ingestion):
            assert time.monotonic() < deadline, _kinds(ingestion)
            time.sleep(0.2)
        yield ingestion, state
    finally:
        run_local("down", environment)


def _kinds(ingestion: Ingestion) -> set[str]:
    return {one["data"]["baseType"].removesuffix("Data") for one in ingestion.envelopes}


def _metrics(ingestion: Ingestion) -> set[str]:
    names = {metric["name"] for one in ingestion.of("Metric") for metric in one["metrics"]}
    return {name for name in names if name.startswith("gateway.")}


def _of_trace(ingestion: Ingestion, kind: str) -> list[dict[str, Any]]:
    traced = [one["data"] for one in ingestion.envelopes if one["tags"].get("ai.operation.id") == TRACE]
    return [one["baseData"] for one in traced if one["baseType"] == f"{kind}Data"]


def _complete(ingestion: Ingestion) -> bool:
    return (
        _kinds(ingestion) >= NEEDED
        and _metrics(ingestion) >= METRICS
        and len(_of_trace(ingestion, "Request")) >= ASKED
        and len(ingestion.events("fhir-access")) >= ASKED
        and bool(ingestion.events("authentication-failed"))
    )


def _use(stack: Stack) -> None:
    tenant = next(tenant for tenant in stack.tenants if tenant.fhir_version == "stu3")
    client = stack.clients[0]
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "scope": tenant.tenant_id,
    }
    token = requests.post(stack.token_url, form, timeout=30).json()["access_token"]
    headers = {"authorization": f"Bearer {token}", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    for target in (f"Patient/{PATIENT}", "Patient?family=Reyes&birthdate=1958-05-17", f"Condition?patient={PATIENT}"):
        assert requests.get(f"{stack.fhir_base_url}/{target}", headers=headers, timeout=30).status_code == 200
    assert requests.post(stack.token_url, {**form, "client_secret": "pgw_wrong"}, timeout=30).status_code == 401


def test_requests_hops_and_exchanges_are_one_trace(told: tuple[Ingestion, Path]) -> None:
    ingestion, _ = told
    requests_of_trace = _of_trace(ingestion, "Request")
    assert len(requests_of_trace) == ASKED
    assert {one["name"] for one in requests_of_trace} == {"GET /fhir/{path}"}
    dependencies = {one["name"] for one in _of_trace(ingestion, "RemoteDependency")}
    # "GET" becomes "GET /" where the exporter has no path to show.
    assert {name.removesuffix(" /") for name in dependencies} == {"auth", "map", "upstream", "adapt", "GET"}


def test_events_arrive_once_with_their_properties(told: tuple[Ingestion, Path]) -> None:
    ingestion, state = told
    accesses = ingestion.events("fhir-access")
    assert sorted(access["interaction"] for access in accesses) == ["read", "search-type", "search-type"]
    assert all(float(access["total_ms"]) > 0 and access["patients"] for access in accesses)
    (failed,) = ingestion.events("authentication-failed")
    assert failed["reason"] == "wrong-secret"
    # Not on standard error as well, where the host would pick it up.
    log = (state / "logs" / "function-app.log").read_text(encoding="utf-8")
    assert "fhir access" not in log


def test_metrics_arrive(told: tuple[Ingestion, Path]) -> None:
    ingestion, _ = told
    assert _metrics(ingestion) >= METRICS


def test_nothing_that_is_sent_names_a_patient_or_holds_a_secret(told: tuple[Ingestion, Path]) -> None:
    ingestion, _ = told
    text = json.dumps(ingestion.envelopes, ensure_ascii=False)
    assert len(text) > 10_000
    assert "pgw_" not in text
    assert "eyJ" not in text
    long_enough = 5  # Shorter ones are found in ids and numbers by chance; tests/privacy looks at them as words.
    for needle in patient_needles():
        if len(needle.text) >= long_enough:
            assert needle.text not in text, needle
