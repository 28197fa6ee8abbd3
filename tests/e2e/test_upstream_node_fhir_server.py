"""The gateway before a DSTU2 server that lacks types that the app asks for, describes itself by an error, neither sorts
nor counts, and shows everybody's coverage whoever is asked for. What the app is shown stands in the hospital's records.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from local.sandbox import load_hospital
from tests.functions.harness import Gateway, open_gateway
from tests.upstreams.node_fhir_server import running_node_fhir_server

pytestmark = pytest.mark.e2e

HOSPITAL = load_hospital("lakeside")
PATIENTS = ("1001", "1002", "1003", "1004", "1005", "1006")
FACES = ("dstu2", "stu3")


def records(resource_type: str) -> list[dict[str, Any]]:
    lines = (HOSPITAL.folder / f"{resource_type}.ndjson").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


def of(resource: dict[str, Any], patient: str) -> bool:
    """Whether the record is the patient's and was not entered in error."""
    holders = (resource.get(name, {}) for name in ("subject", "patient", "subscriber"))
    about = any(each.get("reference") == f"Patient/{patient}" for each in holders)
    return about and "entered-in-error" not in {resource.get("status"), resource.get("verificationStatus")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_node_fhir_server(HOSPITAL.folder, tmp_path_factory.mktemp("server") / "log") as base:
        yield base


@pytest.fixture
async def gateway(tables_connection: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(tables_connection, tmp_path) as opened:
        yield opened


@pytest.fixture
async def tenant(gateway: Gateway, server: str) -> str:
    return await gateway.tenant(server, "dstu2", mrn_system=HOSPITAL.mrn_system)


@pytest.mark.parametrize("face", FACES)
async def test_patients_are_found_counted_and_cut(gateway: Gateway, tenant: str, face: str) -> None:
    women = {each["id"] for each in records("Patient") if each["gender"] == "female"}
    for form, shown in (([("gender", "female")], 3), ([("gender", "female"), ("_count", "2")], 2)):
        answer = await gateway.search(tenant, f"/fhir/{face}/Patient/_search", form)
        assert (answer.status, answer.json["total"]) == (200, len(women))
        assert len(answer.resources) == shown
        assert {each["id"] for each in answer.resources} <= women


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    ("parameter", "value", "patient"),
    [
        ("identifier", "LG-204518", "1001"),
        ("family", "whit", "1001"),
        ("family", "hitcom", "1001"),
        ("family", "王", "1003"),
    ],
)
async def test_a_patient_is_found_by_mrn_and_name(
    gateway: Gateway, tenant: str, face: str, parameter: str, value: str, patient: str
) -> None:
    """The server knows no `:contains`, which the app's search of names is."""
    name = f"{parameter}:contains" if value == "hitcom" else parameter
    answer = await gateway.search(tenant, f"/fhir/{face}/Patient/_search", [(name, value)])
    assert (answer.json["total"], [each["id"] for each in answer.resources]) == (1, [patient])


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("patient", PATIENTS)
async def test_the_latest_encounter_is_where_the_patient_is(
    gateway: Gateway, tenant: str, face: str, patient: str
) -> None:
    own = [each for each in records("Encounter") if of(each, patient)]
    latest = max(own, key=lambda each: each["period"]["start"])
    sort = "_sort:desc=date" if face == "dstu2" else "_sort=-date"
    answer = await gateway.ask(tenant, f"/fhir/{face}/Encounter?patient={patient}&{sort}&_count=1")
    assert [each["id"] for each in answer.resources] == [latest["id"]]
    assert answer.resources[0]["period"] == latest["period"]


@pytest.mark.parametrize("face", FACES)
async def test_nobody_elses_coverage_is_shown(gateway: Gateway, tenant: str, face: str) -> None:
    for patient in PATIENTS:
        answer = await gateway.ask(tenant, f"/fhir/{face}/Coverage?patient={patient}")
        own = {each["id"] for each in records("Coverage") if of(each, patient)}
        assert (answer.status, {each["id"] for each in answer.resources}) == (200, own)


@pytest.mark.parametrize("face", FACES)
async def test_a_batch_brings_what_the_server_has_and_says_what_it_has_not(
    gateway: Gateway, tenant: str, face: str
) -> None:
    kinds = ("Condition", "Observation", "Encounter", "AllergyIntolerance")
    answer = await gateway.batch(tenant, f"/{face}", [f"{kind}?patient=1001" for kind in kinds])
    *had, lacking = answer.json["entry"]
    for kind, entry in zip(kinds, had, strict=False):
        assert entry["response"]["status"].startswith("200")
        shown = {each["resource"]["id"] for each in entry["resource"]["entry"]}
        assert shown == {each["id"] for each in records(kind) if of(each, "1001")}
    assert lacking["response"]["status"].startswith("404")
    assert lacking["response"].get("outcome", lacking.get("resource"))["issue"][0]["code"] == "not-found"


async def test_an_absent_patient_is_not_found_though_the_server_says_so_in_plain_text(
    gateway: Gateway, tenant: str
) -> None:
    for face in FACES:
        answer = await gateway.ask(tenant, f"/fhir/{face}/Patient/nobody")
        assert (answer.status, answer.json["issue"][0]["code"]) == (404, "not-found")


async def test_the_check_says_what_the_server_lacks_and_what_the_gateway_makes_up_for(
    gateway: Gateway, tenant: str
) -> None:
    report = await gateway.service.operations.check(tenant)
    lacking = {"fail", "warn"}
    assert {each["id"] for each in report.checks if each["status"] in lacking} == {
        "allergy.search",  # no such type
        "medication.search",
        "condition.count",  # all of them come: cutting a list that has no further page would hide the rest
    }
    mended = [each for each in report.checks if each["status"] == "pass" and each["server"]["status"] in lacking]
    assert {each["id"] for each in mended} == {
        "metadata.statement",  # an error
        "patient.count",
        "patient.by-family",  # no `:contains`
        "patient.by-given",
        "patient.by-name",
        "observation.order",  # no sorting
        "encounter.order",
        "batch",
        "read.unknown",  # plain text
    }
    assert report.verdict == "warn"
