import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest

from gateway.errors import StorageUnavailable
from gateway.exchange import Timing
from gateway.registry import Tenant
from gateway.registry.secret_values import Pepper
from gateway.telemetry.access import MOST_PATIENTS, Access, AccessLog
from gateway.telemetry.logs import JsonFormatter
from gateway.telemetry.patients import patient_hash, patients_of
from gateway.versions import FhirVersion

pytestmark = pytest.mark.usefixtures("every_level")
PEPPER = Pepper({"1": b"a" * 32, "2": b"b" * 32})
TENANT = Tenant(
    tenant_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    name="Northfield",
    fhir_url="https://ehr.example/fhir",
    fhir_version=FhirVersion.R4,
)


@pytest.fixture
def every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.access")


async def pepper() -> Pepper:
    return PEPPER


async def written(one: Access, pepper: Callable[[], Awaitable[Pepper]] = pepper) -> None:
    """Let the event be written, which is done in the loop's next turn."""
    await AccessLog(pepper).write(one)
    await asyncio.sleep(0)


def access(**facts: Any) -> Access:  # noqa: ANN401  # the fields of Access
    return Access(correlation_id="c0ffee", face="r4", **facts)


def bundle(*resources: object) -> dict[str, object]:
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


@pytest.mark.parametrize(
    ("resource_type", "resource_id", "pairs", "resource", "found"),
    [
        ("Patient", "p1", [], {"resourceType": "Patient", "id": "p1"}, ["p1"]),
        ("Patient", "p1", [], {"resourceType": "OperationOutcome"}, ["p1"]),
        ("Patient", "", [("_id", "p1,p2")], {}, ["p1", "p2"]),
        ("Patient", "", [("family", "Secret")], bundle({"resourceType": "Patient", "id": "p3"}), ["p3"]),
        ("Encounter", "", [("patient", "p1")], bundle(), ["p1"]),
        ("Encounter", "", [("patient", "Patient/p1"), ("subject:Patient", "p2")], None, ["p1", "p2"]),
        ("Observation", "", [("subject", "https://ehr.example/fhir/Patient/p1")], None, ["p1"]),
        ("Observation", "", [("subject", "Group/g1")], None, []),
        ("Observation", "o1", [], {"resourceType": "Observation", "subject": {"reference": "Patient/p4"}}, ["p4"]),
        (
            "Coverage",
            "c1",
            [],
            {"resourceType": "Coverage", "beneficiary": {"reference": "Patient/p5/_history/2"}},
            ["p5"],
        ),
        ("Location", "l1", [("_id", "l1")], {"resourceType": "Location", "id": "l1"}, []),
        ("Patient", "", [], {"resourceType": "Bundle", "entry": "broken"}, []),
        ("Patient", "", [], bundle(None, 5, {"resourceType": "Patient"}), []),
    ],
)
def test_an_access_is_about_the_patients_that_are_named_or_answered(
    resource_type: str, resource_id: str, pairs: list[tuple[str, str]], resource: object, found: list[str]
) -> None:
    assert patients_of(resource_type, resource_id, pairs, resource) == found


def test_a_patients_hash_depends_on_tenant_id_and_key() -> None:
    hashes = {
        patient_hash(PEPPER, tenant, patient, version)
        for tenant in (TENANT.tenant_id, "another")
        for patient in ("1", "2")
        for version in ("1", "2")
    }
    assert len(hashes) == 8
    assert patient_hash(PEPPER, "t", "p") == patient_hash(PEPPER, "t", "p", "2")
    assert all(len(value) == 32 for value in hashes)


async def test_an_event_holds_every_fact_and_no_patients_data(caplog: pytest.LogCaptureFixture) -> None:
    timing = Timing()
    timing.add("upstream", 0.25)
    one = access(timing=timing)
    one.caller("client", "secret-id", TENANT)
    one.about("search-type", "Patient")
    one.shows(
        "", [("family", "Featherstone")], bundle({"resourceType": "Patient", "id": "p-77", "birthDate": "1950-01-02"})
    )
    one.status = 200
    with caplog.at_level(logging.INFO, "gateway.access"):
        await written(one)
    line = JsonFormatter().format(caplog.records[0])
    event = json.loads(line)
    assert {name: event[name] for name in ("event", "client_id", "credential", "tenant", "face")} == {
        "event": "fhir-access",
        "client_id": "client",
        "credential": "secret-id",
        "tenant": TENANT.tenant_id,
        "face": "r4",
    }
    assert (event["interaction"], event["resource_type"], event["status"], event["count"]) == (
        "search-type",
        "Patient",
        200,
        1,
    )
    assert (event["correlation_id"], event["upstream_ms"], event["auth_ms"]) == ("c0ffee", 250.0, 0.0)
    assert event["total_ms"] >= 0
    assert event["patients"] == patient_hash(PEPPER, TENANT.tenant_id, "p-77")
    for private in ("Featherstone", "p-77", "1950"):
        assert private not in line


async def test_a_refused_access_is_an_event_as_well(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gateway.access"):
        await written(access(status=401))
    event = json.loads(JsonFormatter().format(caplog.records[0]))
    assert (event["status"], event["client_id"], event["tenant"]) == (401, "", "")


async def test_an_entry_has_its_batchs_caller_and_its_own_patients(caplog: pytest.LogCaptureFixture) -> None:
    batch = access()
    batch.caller("client", "secret-id", TENANT)
    batch.about("batch", "")
    batch.patients = ["p0"]
    entry = batch.of_entry(3)
    entry.about("read", "Patient")
    entry.shows("p1", [], {"resourceType": "Patient", "id": "p1"})
    with caplog.at_level(logging.INFO, "gateway.access"):
        await written(entry)
    event = json.loads(JsonFormatter().format(caplog.records[0]))
    assert (event["entry"], event["client_id"], event["correlation_id"]) == (3, "client", "c0ffee")
    assert event["patients"] == patient_hash(PEPPER, TENANT.tenant_id, "p1")
    assert batch.interaction == "batch"


async def test_a_long_list_is_cut_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    one = access(tenant=TENANT, patients=[f"p{number}" for number in range(MOST_PATIENTS + 5)])
    with caplog.at_level(logging.INFO, "gateway.access"):
        await written(one)
    event = json.loads(JsonFormatter().format(caplog.records[0]))
    assert len(event["patients"].split()) == MOST_PATIENTS
    assert len(event["patients"]) < 8192
    assert event["patients_left_out"] == 5


async def test_events_are_written_in_the_next_turn_each_in_its_requests_context() -> None:
    told: list[tuple[str, str]] = []
    invocation = ContextVar("invocation", default="none")

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append((vars(record)["correlation_id"], invocation.get()))

    async def request(name: str, log: AccessLog) -> None:
        invocation.set(f"of {name}")
        await log.write(Access(correlation_id=name, face="r4", tenant=TENANT, patients=["p1"]))
        invocation.set("over")
        assert told == []

    logger, notes, log = logging.getLogger("gateway.access"), Notes(), AccessLog(pepper)
    logger.addHandler(notes)
    try:
        await asyncio.gather(request("a", log), request("b", log))
        await asyncio.sleep(0)
    finally:
        logger.removeHandler(notes)
    assert told == [("a", "of a"), ("b", "of b")]


async def test_what_a_failed_callback_would_show_of_an_access_names_no_patient() -> None:
    assert "p-77" not in repr(access(tenant=TENANT, patients=["p-77"]))


async def test_without_a_pepper_the_request_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> Pepper:
        raise StorageUnavailable("no vault")

    with caplog.at_level(logging.INFO, "gateway.access"):
        await written(access(tenant=TENANT, patients=["p1"]), broken)
    event = json.loads(JsonFormatter().format(caplog.records[0]))
    assert "patients" not in event
    assert event["patients_left_out"] == 1


async def test_below_info_nothing_is_looked_for_nor_written(caplog: pytest.LogCaptureFixture) -> None:
    async def unasked() -> Pepper:
        raise AssertionError

    caplog.set_level(logging.WARNING, "gateway.access")
    one = access(tenant=TENANT)
    one.about("read", "Patient")
    one.shows("p1", [], {"resourceType": "Patient", "id": "p1"})
    assert one.patients == []
    one.patients = ["p1"]
    await written(one, unasked)
    assert caplog.records == []


async def test_a_path_that_names_no_resource_type_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    one = access(status=404)
    one.about("read", "Featherstone")
    await written(one)
    assert vars(caplog.records[0])["resource_type"] == "other"
