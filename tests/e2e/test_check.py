"""`python -m gateway check` as an operator runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

import pytest
import requests

from gateway.conformance.survey import UNKNOWN_ID
from local import processes
from local.ports import free_port
from local.sandbox.hospitals import HOSPITALS_FOLDER, load_hospital
from local.stack_file import read_stack
from tests.e2e.conftest import LocalCommand
from tests.environments import environment_python
from tests.upstreams.sekmet import LOADER, Sekmet, running_sekmet, shared_resources

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).parents[2]
KEY_VARIABLE = "CHECK_SECRET"


def check(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- this project's own program
        [sys.executable, "-m", "gateway", "check", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {}), "NO_COLOR": "1", "COLUMNS": "300"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def northfield(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FHIR base of the sandbox hospital that asks for an API key."""
    hospital, port = load_hospital("northfield"), free_port()
    folder = tmp_path_factory.mktemp("northfield")
    command = [sys.executable, "-m", "local.sandbox", "northfield", "--port", str(port)]
    program = processes.start("northfield", command, log=folder / "log", environment={}, folder=REPOSITORY)
    base = f"http://127.0.0.1:{port}{hospital.base_path}"
    try:
        processes.wait_until_ready(program, f"{base}/metadata", seconds=60)
        yield base
    finally:
        processes.stop(program)


@pytest.fixture(scope="module")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sekmet]:
    """A real R4 server with the sandbox's R4 hospital in it."""
    environment_python("sekmet")
    clients = [{"client_id": "check", "client_secret": "sekmet-secret", "scopes": "system/*.rs"}]
    with running_sekmet(tmp_path_factory.mktemp("sekmet"), clients) as server:
        server.load(shared_resources(HOSPITALS_FOLDER / "riverbend"))
        yield server


def of(document: dict[str, object], status: str) -> set[str]:
    checks = document["checks"]
    assert isinstance(checks, list)
    return {one["id"] for one in checks if one["status"] == status}


def test_everything_that_must_pass_passes_on_a_real_r4_server(sekmet: Sekmet) -> None:
    user, password = LOADER
    done = check(
        "--fhir-url", sekmet.base_url, "--auth", "basic", "-o", f"username={user}", "--secret-env", KEY_VARIABLE,
        "--json", "-", environment={KEY_VARIABLE: password},
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert [one for one in document["checks"] if one["status"] == "fail"] == []
    assert done.returncode == 0
    assert document["subject"]["fhir_version"] == "r4"
    # The hospital's records have gaps on purpose; all that the server itself must do, it does.
    assert {one for one in of(document, "warn") if one.partition(".")[0] in ("patient", "batch", "read")} == set()
    assert of(document, "pass") >= {"token", "patient.total", "patient.pages", "batch.entries", "encounter.order"}
    assert document["system"]["proposed"] == "hapi"


def test_a_token_that_may_only_read_is_refused_batches_there(sekmet: Sekmet, tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    done = check(
        "--fhir-url", sekmet.base_url, "--auth", "client-secret-post", "-o", "client_id=check",
        "-o", f"token_url={sekmet.token_url}", "-o", "scope=system/*.rs", "--secret-env", KEY_VARIABLE,
        "--json", "-", "--html", str(html), environment={KEY_VARIABLE: "sekmet-secret"},
    )  # fmt: skip
    document = json.loads(done.stdout)
    batch = next(one for one in document["checks"] if one["id"] == "batch")
    assert batch["server"]["found"] == ["403 OperationOutcome"]
    assert batch["remedy"] == "The gateway sends the entries one by one, side by side."
    assert of(document, "fail") == set()
    assert done.returncode == 0
    assert document["system"]["proposed"] == "generic"
    assert "sekmet-secret" not in done.stdout + done.stderr + html.read_text()


def test_a_server_with_an_api_key_passes(northfield: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("sandbox-only-northfield-key\n")
    done = check("--fhir-url", northfield, "--auth", "header", "-o", "name=X-Api-Key", "--secret-file", str(key))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The Patients app works with this server." in done.stdout
    assert "sandbox-only" not in done.stdout + done.stderr


def test_a_wrong_key_fails(northfield: str) -> None:
    done = check(
        "--fhir-url", northfield, "--auth", "header", "-o", "name=X-Api-Key", "--secret-env", KEY_VARIABLE,
        environment={KEY_VARIABLE: "wrong"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "✘ credential.accepted" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "--fhir-url", "http://127.0.0.1/fhir"),
        ("--fhir-url", "ftp://127.0.0.1/fhir"),
        ("--fhir-url", "http://127.0.0.1/fhir", "--auth", "header", "-o", "secret=visible"),
        ("--fhir-url", "http://127.0.0.1/fhir", "--auth", "header"),
        ("--fhir-url", "http://127.0.0.1/fhir", "--system", "unheard-of"),
        ("--fhir-url", "http://127.0.0.1/fhir", "--secret-env", "NO_SUCH_VARIABLE"),
        ("--fhir-url", "http://127.0.0.1/fhir", "--json", "/no/such/folder/report.json"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    done = check(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "visible" not in done.stderr


def test_a_tenant_of_a_running_stack_is_checked_twice(
    environment: dict[str, str], run_local: LocalCommand, tmp_path: Path
) -> None:
    up = run_local("up", environment)
    assert up.returncode == 0, up.stdout + up.stderr
    tenant = load_hospital("riverbend").tenant_id
    file = tmp_path / "report.json"
    done = check(tenant, "--json", str(file), environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(file.read_text())
    assert of(document, "fail") == set()
    assert document["requests"]["gateway"] > 0
    sides = {one["id"]: (one["server"]["status"], one["gateway"]["status"]) for one in document["checks"]}
    assert sides["batch"] == ("warn", "pass")
    assert sides["encounter.order"] == ("warn", "pass")
    assert UNKNOWN_ID not in file.read_text()
    # The management API's report is the same but for the times.
    stack = read_stack(Path(environment["PATIENTS_GATEWAY_LOCAL"]))
    assert stack is not None
    url = f"{stack.base_url}/manage/v1/tenants/{tenant}/check"
    answer = requests.post(url, headers={"Authorization": f"Bearer {stack.management_token}"}, timeout=120)
    assert answer.status_code == HTTPStatus.OK
    again = answer.json()
    assert [two for one, two in zip(document["checks"], again["checks"], strict=True) if one != two] == []
    assert {**again, "timing": None} == {**document, "timing": None}
    assert check("7c9e6679-7425-40de-944b-e07fc1f90ae7", environment=environment).returncode == 2
