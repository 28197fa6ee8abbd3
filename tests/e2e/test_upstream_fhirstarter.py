"""The gateway before a STU3 server that can do little and ignores what it does not know: no sorting, no counting, no
pages, no total, no `:contains`. What the app is shown stands in the hospital's records.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from local.sandbox import load_hospital
from tests.functions.harness import Gateway, open_gateway
from tests.upstreams.fhirstarter import running_fhirstarter

pytestmark = pytest.mark.e2e

HOSPITAL = load_hospital("northfield")
KEY = "fhirstarter-key"
PATIENTS = ("nf-301", "nf-302", "nf-303", "nf-304", "nf-305", "nf-306")


def records(resource_type: str) -> list[dict[str, Any]]:
    lines = (HOSPITAL.folder / f"{resource_type}.ndjson").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_fhirstarter(HOSPITAL.folder, KEY, tmp_path_factory.mktemp("fhirstarter") / "log") as base:
        yield base


@pytest.fixture
async def gateway(tables_connection: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with open_gateway(tables_connection, tmp_path) as opened:
        await opened.service.secrets.set("key", KEY)
        yield opened


@pytest.fixture
async def tenant(gateway: Gateway, server: str) -> str:
    auth = {"kind": "header", "name": "X-Api-Key", "secret": "key"}
    return await gateway.tenant(server, "stu3", auth=auth, mrn_system=HOSPITAL.mrn_system)


async def patients(gateway: Gateway, tenant: str, *form: tuple[str, str]) -> tuple[int, list[str]]:
    """The total of a search, and whom its first page shows."""
    answer = await gateway.search(tenant, "/fhir/stu3/Patient/_search", form)
    assert answer.status == 200, answer.body
    return answer.json["total"], sorted(each["id"] for each in answer.resources)


async def test_patients_are_found_counted_and_cut(gateway: Gateway, tenant: str) -> None:
    women = [each["id"] for each in records("Patient") if each["gender"] == "female"]
    assert await patients(gateway, tenant, ("gender", "female")) == (4, sorted(women))
    total, shown = await patients(gateway, tenant, ("gender", "female"), ("_count", "3"))
    assert (total, len(shown)) == (4, 3)


async def test_a_name_is_found_by_its_middle_though_the_server_ignores_contains(gateway: Gateway, tenant: str) -> None:
    assert await patients(gateway, tenant, ("family", "hans")) == (1, ["nf-302"])
    assert await patients(gateway, tenant, ("given", "ozena")) == (1, ["nf-306"])
    assert await patients(gateway, tenant, ("family", "nobody")) == (0, [])


async def test_an_mrn_finds_its_patient(gateway: Gateway, tenant: str) -> None:
    assert await patients(gateway, tenant, ("identifier", "N0045120")) == (1, ["nf-301"])


@pytest.mark.parametrize("patient", PATIENTS)
async def test_the_latest_encounter_is_where_the_patient_is(gateway: Gateway, tenant: str, patient: str) -> None:
    own = [each for each in records("Encounter") if each["subject"]["reference"] == f"Patient/{patient}"]
    latest = max(own, key=lambda each: each["period"]["start"])
    answer = await gateway.ask(tenant, f"/fhir/stu3/Encounter?patient={patient}&_sort=-date&_count=1")
    assert [each["id"] for each in answer.resources] == [latest["id"]]
    display = answer.resources[0]["location"][0]["location"]["display"]
    assert display == latest["location"][0]["location"]["display"]


async def test_a_batch_brings_a_chart_and_nobody_elses(gateway: Gateway, tenant: str) -> None:
    kinds = ("Condition", "AllergyIntolerance", "Observation", "Coverage", "MedicationRequest")
    answer = await gateway.batch(tenant, "/stu3", [f"{kind}?patient=nf-301" for kind in kinds])
    for kind, entry in zip(kinds, answer.json["entry"], strict=True):
        assert entry["response"]["status"].startswith("200")
        shown = {each["resource"]["id"] for each in entry["resource"].get("entry", [])}
        assert shown == {each["id"] for each in records(kind) if of(each, "nf-301")}
        assert shown


def of(resource: dict[str, Any], patient: str) -> bool:
    """Whether the record is the patient's and was not entered in error."""
    holders = (resource.get(name, {}) for name in ("subject", "patient", "beneficiary"))
    statuses = {resource.get("status"), resource.get("verificationStatus")}
    about = any(each.get("reference") == f"Patient/{patient}" for each in holders)
    return about and "entered-in-error" not in statuses


async def test_an_absent_patient_is_not_found_on_either_face(gateway: Gateway, tenant: str) -> None:
    for face in ("stu3", "dstu2"):
        answer = await gateway.ask(tenant, f"/fhir/{face}/Patient/nobody")
        assert (answer.status, answer.json["issue"][0]["code"]) == (404, "not-found")


async def test_a_wrong_key_is_the_gateways_trouble(gateway: Gateway, server: str) -> None:
    await gateway.service.secrets.set("wrong", "another-key")
    auth = {"kind": "header", "name": "X-Api-Key", "secret": "wrong"}
    tenant = await gateway.tenant(server, "stu3", auth=auth)
    assert (await gateway.ask(tenant, "/fhir/stu3/Patient/nf-301")).status == 502
