"""A hospital that speaks R4 only, read by real clients of the STU3 and the DSTU2 generation."""

import json
import subprocess
from typing import Any

import pytest

from local.sandbox import load_hospital
from local.stack_file import Stack
from tests.environments import environment_python

pytestmark = pytest.mark.e2e

PATIENT = "rb.pat.1"
# Written down from the hospital's records: the room from the Location's name, a requester from the Practitioner's. The
# old MRN, what was entered in error and the order not to give a drug are not there.
CHART: dict[str, Any] = {
    "family": "Thompson",
    "identifiers": ["7004411"],
    "practitioners": ["Dr. Inés Álvarez"],
    "conditions": ["Atrial fibrillation", "Essential hypertension", "Heart failure"],
    "clinical": ["active"],
    "location": "5 East, room 512",
    "allergies": ["Penicillin"],
    "drugs": ["furosemide 40 MG Oral Tablet", "lisinopril 20 MG Oral Tablet"],
    "requesters": ["Dr. Inés Álvarez", "Dr. Marcus Stone"],
}


def vitals_on_record() -> list[str]:
    lines = (load_hospital("riverbend").folder / "Observation.ndjson").read_text().splitlines()
    return sorted(
        found["code"]["coding"][0]["code"]
        for found in map(json.loads, lines)
        if found["subject"]["reference"] == f"Patient/{PATIENT}"
        and found["status"] != "entered-in-error"
        and any(coding["code"] == "vital-signs" for one in found["category"] for coding in one["coding"])
    )


def read_chart(stack: Stack, face: str) -> dict[str, Any]:
    (client,) = stack.clients
    settings = {
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "api_base": f"{stack.fhir_base_url}/{face}",
        "scope": load_hospital("riverbend").tenant_id,
        "patient": PATIENT,
    }
    name = f"fhirclient_{face}"
    program = ["-W", "ignore", f"tests/environments/{name}/read.py"]  # its warnings are not ours to mend
    answer = subprocess.run(  # noqa: S603 - this project's own program
        [environment_python(name), *program],
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    chart: dict[str, Any] = json.loads(answer.stdout)
    return chart


def test_fhirclient_of_stu3_reads_an_r4_hospital(stack: Stack) -> None:
    assert read_chart(stack, "stu3") == CHART | {
        "fhirVersion": "3.0.2",
        "vitals": vitals_on_record(),
        "subscribers": ["BR-100233", "EPP-9912-3"],
        "groups": ["Elders", "Retired Teachers"],
    }


def test_fhirclient_of_dstu2_reads_an_r4_hospital(stack: Stack) -> None:
    # DSTU2 coverage has no status, so the cancelled one is not shown, and its group is a number.
    assert read_chart(stack, "dstu2") == CHART | {
        "fhirVersion": "1.0.2",
        "vitals": vitals_on_record(),
        "subscribers": ["EPP-9912-3"],
        "groups": ["ELD"],
    }
