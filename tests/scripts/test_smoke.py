import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SMOKE = Path(__file__).parents[2] / "scripts" / "smoke.py"

WELL = {
    "/health/live": (200, "{}"),
    "/health/ready": (200, "{}"),
    "/fhir/dstu2/metadata": (200, '{"resourceType": "Conformance", "fhirVersion": "1.0.2"}'),
    "/fhir/stu3/metadata": (200, '{"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}'),
    "/fhir/r4/metadata": (200, '{"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}'),
    "/oauth2/jwks": (200, '{"keys": [{"kid": "one"}]}'),
    "/fhir/Patient": (401, "{}"),
    "/manage/v1/tenants": (401, "{}"),
    "/oauth2/token": (200, '{"access_token": "abc"}'),
}


class Gateway:
    """A server that answers each path as told."""

    def __init__(self) -> None:
        self.answers = dict(WELL)
        answers = self.answers

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, text = answers.get(self.path, (404, ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    running = Gateway()
    thread = threading.Thread(target=running.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.server.shutdown()
    thread.join()
    running.server.server_close()


def smoke(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- this project's own program
        [sys.executable, str(SMOKE), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )


def test_all_well_is_0_with_a_line_a_check(gateway: Gateway) -> None:
    done = smoke(gateway.url)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    assert all(line.startswith("ok ") for line in lines)


def test_test_client_gets_a_token_and_its_secret_is_not_shown(gateway: Gateway) -> None:
    options = ("--client-id", "a", "--client-secret-env", "SECRET", "--tenant", "t")
    done = smoke(gateway.url, *options, SECRET="pgw_hush")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok   token of the test client" in done.stdout
    assert "pgw_hush" not in done.stdout + done.stderr
    gateway.answers["/oauth2/token"] = (401, "{}")
    refused = smoke(gateway.url, *options, SECRET="pgw_hush")
    assert refused.returncode == 1
    assert "pgw_hush" not in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("path", "answer", "name"),
    [
        ("/health/ready", (503, "{}"), "health ready"),
        ("/fhir/r4/metadata", WELL["/fhir/stu3/metadata"], "metadata r4"),
        ("/oauth2/jwks", (200, '{"keys": []}'), "signing keys"),
        ("/fhir/Patient", (200, "{}"), "401 without a token"),
        ("/manage/v1/tenants", (200, "[]"), "management without a token"),
    ],
)
def test_what_is_wrong_is_1_and_named(gateway: Gateway, path: str, answer: tuple[int, str], name: str) -> None:
    gateway.answers[path] = answer
    done = smoke(gateway.url)
    assert done.returncode == 1
    assert f"FAIL {name}:" in done.stdout


def test_nothing_answers_is_1() -> None:
    assert smoke("http://127.0.0.1:9").returncode == 1


@pytest.mark.parametrize("arguments", [(), ("gateway.example",), ("http://localhost", "--client-id", "a")])
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert smoke(*arguments).returncode == 2
