"""The sweep finds what it is for: each test plants a leak."""

import base64
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.privacy.every_process import recording
from tests.privacy.patients import Needle, patient_needles
from tests.privacy.search import Search, strings
from tests.privacy.sweep import APP, AZURITE_DATA, RECORDS, Swept, sweep

SECRET = "pgw_" + "Sx7-9_" * 6
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a clean run leaves: a function app that logged something, an audit row, a secret."""
    records = tmp_path / RECORDS
    records.mkdir()
    (records / f"{APP}.1-a.log").write_text("INFO gateway.access: fhir access {'status': 200, 'total_ms': 1001}\n")
    (records / f"{APP}.1-a.secrets").write_text(SECRET + "\n")
    (tmp_path / "stack0" / "logs").mkdir(parents=True)
    (tmp_path / "stack0" / "logs" / "function-app.log").write_text("Listening on http://127.0.0.1:7071\n")
    write_rows(tmp_path, {"entry": '{"actor":"make up"}'})
    return tmp_path


def write_rows(folder: Path, *rows: dict[str, object]) -> None:
    data = folder / "stack0" / "azurite-data"
    data.mkdir(exist_ok=True)
    collection = {"name": "devstoreaccount1$audit", "data": [{"properties": row} for row in rows]}
    (data / AZURITE_DATA).write_text(json.dumps({"collections": [collection]}))


def found(swept: Swept) -> set[str]:
    return {finding.needle.kind for finding in swept.findings}


def test_a_clean_run_is_clean_and_counted(folder: Path) -> None:
    swept = sweep(folder)
    assert (swept.findings, swept.unseen) == ([], [])
    assert (swept.lines, swept.rows, swept.audit_rows, swept.programs, swept.apps) == (2, 1, 1, 1, 1)
    assert swept.secrets == 3
    assert swept.needles == len(patient_needles())


# From the hospitals' own records.
@pytest.mark.parametrize(
    ("kind", "leak"),
    [
        ("id", "GET https://fhir.example/Patient/nf-301"),
        ("id", "GET https://fhir.example/Patient/1001/_history"),
        ("id", "the search patient=1001 failed"),
        ("name", "no such patient: THOMPSON"),
        ("name", "given=Bo%C5%BCena"),
        ("name", '{"family": "S\\u00f8rensen"}'),
        ("name", "<td>Fitzgerald</td>"),
        ("name", "王芳 王 芳"),
        ("identifier", "identifier=http%253A%252F%252Fx%257CN0045120"),
        ("birth date", "birthdate=ge1952-07-08"),
        ("telecom", "call 555-0117"),
        ("record", "Coverage/cov-nf-301-1"),
        ("token", f"Authorization: Bearer {JWT}"),
        ("secret", f"client_secret={SECRET}"),
        ("secret", f"client_secret={quote(SECRET, safe='')}"),
        ("secret", "Basic " + base64.b64encode(f"some-client:{SECRET}".encode()).decode()),
        ("secret", "X-Api-Key: sandbox-only-northfield-key"),
    ],
)
@pytest.mark.parametrize("place", ["records", "output", "row"])
def test_a_leak_is_found_wherever_it_is(folder: Path, kind: str, leak: str, place: str) -> None:
    if place == "row":
        write_rows(
            folder, {"entry": "clean"}, {"entry": json.dumps({"changes": [{"after": leak}]}, ensure_ascii=False)}
        )
    else:
        path = folder / RECORDS / f"{APP}.1-a.log" if place == "records" else folder / "stack0/logs/function-app.log"
        path.write_text(path.read_text() + leak + "\n")
    swept = sweep(folder)
    assert kind in found(swept)
    assert all(finding.where.startswith(("stack0", RECORDS)) for finding in swept.findings)


@pytest.mark.parametrize(
    "line",
    [
        "1001 requests in 52 ms",
        "port 45099 for nf-30",
        "pgw_Sx7- is the hint",
        "status 200 of rb.patience.1",
        "martini",
    ],
)
def test_what_only_looks_like_a_patient_is_left_alone(folder: Path, line: str) -> None:
    path = folder / RECORDS / f"{APP}.1-a.log"
    path.write_text(path.read_text() + line + "\n")
    assert sweep(folder).findings == []


@pytest.mark.parametrize("lost", ["records", "lines", "rows", "secrets"])
def test_a_sweep_that_saw_nothing_fails(folder: Path, lost: str) -> None:
    match lost:
        case "records":
            (folder / RECORDS / f"{APP}.1-a.log").unlink()
        case "lines":
            (folder / RECORDS / f"{APP}.1-a.log").write_text("")
        case "rows":
            (folder / "stack0" / "azurite-data" / AZURITE_DATA).unlink()
        case "secrets":
            (folder / RECORDS / f"{APP}.1-a.secrets").write_text("")
    assert sweep(folder).unseen != []


def test_a_made_up_run_within_a_run_is_left_alone(folder: Path) -> None:
    inner = folder / "test_sweep0"
    (inner / "stack0" / "logs").mkdir(parents=True)
    (inner / "stack0" / "logs" / "function-app.log").write_text("Thompson\n")
    assert found(sweep(folder)) == {"name"}
    (inner / RECORDS).mkdir()
    assert sweep(folder).findings == []


def test_signing_keys_and_pepper_are_searched_for(folder: Path) -> None:
    keys = folder / "stack0" / "keys"
    keys.mkdir()
    (keys / "pepper").write_text("1:" + "5a" * 32)
    path = folder / RECORDS / f"{APP}.1-a.log"
    path.write_text(path.read_text() + "key " + "5a" * 32 + "\n")
    assert found(sweep(folder)) == {"secret"}


PROGRAM = """
import logging, secrets, http.client
logging.basicConfig(level=logging.WARNING)
logging.getLogger("azure").setLevel(logging.ERROR)
logging.getLogger("azure.core").debug("a header", extra={"patient": "Thompson"})
try:
    raise ValueError("Whitcomb is no number")
except ValueError:
    logging.getLogger("aiohttp").exception("failed")
print(secrets.token_urlsafe(32))
connection = http.client.HTTPConnection("127.0.0.1", 9)
connection._HTTPConnection__state = "Request-started"
connection.putheader("Authorization", "Bearer a-bearer-token-of-some-length")
"""


def test_every_program_records_everything(tmp_path: Path) -> None:
    search_path = str(Path(recording.__file__).parent)
    environment = os.environ | {"PYTHONPATH": search_path, recording.FOLDER_VARIABLE: str(tmp_path)}
    ran = subprocess.run(  # noqa: S603  # this test's own program
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    (log,), (secrets,) = tmp_path.glob("*.log"), tmp_path.glob("*.secrets")
    assert "DEBUG azure.core: a header {'patient': 'Thompson'}" in log.read_text()
    assert "ValueError: Whitcomb is no number" in log.read_text()
    assert ran.stdout.strip() in secrets.read_text()
    assert "a-bearer-token-of-some-length" in secrets.read_text()


def test_recording_ends_without_a_trace(tmp_path: Path) -> None:
    level, handler = logging.getLogger("gateway").level, logging.Logger.callHandlers
    with recording.start(tmp_path, "tests", ours=("gateway",)):
        logging.getLogger("gateway.probe").debug("seen")
        logging.getLogger("elsewhere").error("not ours")
    logging.getLogger("gateway.probe").error("too late")
    (log,) = tmp_path.glob("tests.*.log")
    assert log.read_text() == "DEBUG gateway.probe: seen \n"
    assert (logging.getLogger("gateway").level, logging.Logger.callHandlers) == (level, handler)


def test_every_patient_of_the_sandbox_gives_words() -> None:
    needles = patient_needles()
    kinds = {needle.kind for needle in needles}
    assert kinds >= {"id", "name", "identifier", "birth date", "telecom", "record"}
    for kind in kinds:
        one = min(needle for needle in needles if needle.kind == kind)
        search = Search(frozenset({one}), frozenset())
        search.look("here", f"before {one.text} after")
        assert [finding.needle for finding in search.findings] == [Needle(kind, one.text)]


def test_strings_are_found_at_any_depth() -> None:
    assert set(strings({"a": [{"b": "c"}, 1, None]})) == {"a", "b", "c", "1", "null"}
