"""Servers of one FHIR version at the faces of another, through the whole app."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import pytest
import pytest_asyncio
from aiohttp import web

from tests.functions.harness import BASE_URL, Gateway, Recorder

pytestmark = pytest.mark.asyncio(loop_scope="module")

REQUEST = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "intent": "order",
    "medicationReference": {"reference": "Medication/med1"},
    "subject": {"reference": "Patient/p1"},
    "authoredOn": "2026-11-01",
    "requester": {"reference": "Practitioner/dr1"},
}
MEDICATION = {"resourceType": "Medication", "id": "med1", "code": {"text": "Ibuprofen 400 mg"}}
PRACTITIONER = {"resourceType": "Practitioner", "id": "dr1", "name": [{"family": "Okafor", "prefix": ["Dr."]}]}
LOCATION = {"resourceType": "Location", "id": "l1", "name": "Ward 3, bed 2"}


def encounter(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": f"e{number}",
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": "Patient/p1"},
        "location": [{"location": {"reference": "Location/l1"}}],
    }


def searchset(*resources: dict[str, Any], **more: object) -> dict[str, Any]:
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries, **more}


@pytest_asyncio.fixture(loop_scope="module")
async def r4(gateway: Gateway, server: Recorder) -> str:
    server.says("/MedicationRequest/m1", REQUEST, ETag='W/"3"')
    server.says("/MedicationRequest", searchset(REQUEST))
    server.says("/Medication/med1", MEDICATION)
    server.says("/Practitioner/dr1", PRACTITIONER)
    server.says("/Location/l1", LOCATION)
    return await gateway.tenant(server.base, system="azure")


async def test_a_read_at_the_dstu2_face(gateway: Gateway, server: Recorder, r4: str) -> None:
    answer = await gateway.ask(r4, "/fhir/dstu2/MedicationOrder/m1", headers={"accept": "application/json+fhir"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json+fhir"
    assert answer.headers["etag"] == 'W/"3"'
    order = answer.json
    assert order["resourceType"] == "MedicationOrder"
    assert order["dateWritten"] == "2026-11-01"
    assert order["prescriber"]["display"] == "Dr. Okafor"
    assert order["medicationReference"]["display"] == "Ibuprofen 400 mg"
    assert {seen.path for seen in server.seen} == {
        "/fhir/MedicationRequest/m1", "/fhir/Medication/med1", "/fhir/Practitioner/dr1",
    }  # fmt: skip


async def test_a_search_at_the_stu3_face(gateway: Gateway, server: Recorder, r4: str) -> None:
    answer = await gateway.ask(r4, "/fhir/stu3/MedicationRequest?patient=p1&_count=5&_elements=status")
    assert server.seen[0].parameters == [("patient", "p1"), ("_count", "5")]
    (shown,) = answer.resources
    assert shown["requester"]["agent"]["display"] == "Dr. Okafor"
    assert answer.link("self") == f"{BASE_URL}/fhir/stu3/MedicationRequest?patient=p1&_count=5&_elements=status"


async def test_versions_of_converted_resources(gateway: Gateway, server: Recorder, r4: str) -> None:
    server.says("/MedicationRequest/m1/_history/2", REQUEST)
    entry = {"resource": REQUEST, "request": {"method": "PUT", "url": "MedicationRequest/m1"}}
    server.says("/MedicationRequest/m1/_history", {"resourceType": "Bundle", "type": "history", "entry": [entry]})
    vread = await gateway.ask(r4, "/fhir/dstu2/MedicationOrder/m1/_history/2")
    assert vread.json["resourceType"] == "MedicationOrder"
    history = await gateway.ask(r4, "/fhir/dstu2/MedicationOrder/m1/_history")
    assert history.json["entry"][0]["request"]["url"] == "MedicationOrder/m1"
    assert [resource["resourceType"] for resource in history.resources] == ["MedicationOrder"]


async def test_a_batch_of_the_other_version(gateway: Gateway, r4: str) -> None:
    url = f"{BASE_URL}/fhir/dstu2/MedicationOrder/m1"
    answer = await gateway.batch(r4, "/dstu2", ["MedicationOrder?patient=p1", url])
    assert [entry["response"]["status"] for entry in answer.json["entry"]] == ["200 OK", "200 OK"]
    searched, read = answer.resources
    assert searched["entry"][0]["resource"]["resourceType"] == read["resourceType"] == "MedicationOrder"


@pytest.mark.parametrize("path", ["/stu3/Procedure/1", "/stu3/Procedure?patient=1", "/dstu2/Immunization/1"])
async def test_types_without_a_mapping(gateway: Gateway, server: Recorder, r4: str, path: str) -> None:
    answer = await gateway.ask(r4, f"/fhir{path}")
    assert answer.status == 404
    assert answer.json["issue"][0]["code"] == "not-supported"
    assert server.seen == []


@pytest.mark.parametrize("path", ["/dstu2/MedicationRequest/m1", "/stu3/MedicationOrder/m1", "/dstu2/Task/1"])
async def test_types_that_the_face_does_not_have(gateway: Gateway, server: Recorder, r4: str, path: str) -> None:
    assert (await gateway.ask(r4, f"/fhir{path}")).status == 404
    assert server.seen == []


async def test_a_face_above_the_servers_version(gateway: Gateway, server: Recorder) -> None:
    stu3 = await gateway.tenant(server.base, "stu3")
    answer = await gateway.ask(stu3, "/fhir/r4/Patient/p1")
    assert answer.status == 404
    assert "STU3" in answer.diagnostics


async def test_what_was_entered_in_error_is_not_shown(gateway: Gateway, server: Recorder, r4: str) -> None:
    wrong = {**REQUEST, "id": "m2", "status": "entered-in-error"}
    server.says("/MedicationRequest/m2", wrong)
    server.says("/MedicationRequest", searchset(REQUEST, wrong))
    for face, name in (("dstu2", "MedicationOrder"), ("stu3", "MedicationRequest"), ("r4", "MedicationRequest")):
        assert (await gateway.ask(r4, f"/fhir/{face}/{name}/m2")).status == 404
        found = await gateway.ask(r4, f"/fhir/{face}/{name}?patient=p1")
        assert ([resource["id"] for resource in found.resources], found.json["total"]) == (["m1"], 1)


async def test_one_location_of_many_encounters_is_read_once(gateway: Gateway, server: Recorder, r4: str) -> None:
    server.says("/Encounter", searchset(*map(encounter, range(30))))
    batch = await gateway.batch(r4, "/stu3", ["Encounter?patient=p1", "Encounter?patient=p1&_count=30"])
    for bundle in batch.resources:
        assert {entry["resource"]["location"][0]["location"]["display"] for entry in bundle["entry"]} == {
            LOCATION["name"]
        }
    assert [seen.path for seen in server.seen].count("/fhir/Location/l1") == 1
    await gateway.ask(r4, "/fhir/stu3/Encounter?patient=p1")
    assert [seen.path for seen in server.seen].count("/fhir/Location/l1") == 2  # kept for one request only


async def test_extra_reads_run_side_by_side_and_are_few(gateway: Gateway, server: Recorder, r4: str) -> None:
    running = most = 0

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return web.json_response({**LOCATION, "id": request.path.rpartition("/")[2]})

    encounters = [encounter(number) for number in range(30)]
    for number, each in enumerate(encounters):
        each["location"][0]["location"]["reference"] = f"Location/x{number}"
        server.answers[f"/fhir/Location/x{number}"] = slow
    server.says("/Encounter", searchset(*encounters))
    answer = await gateway.ask(r4, "/fhir/stu3/Encounter?patient=p1")
    shown = [each["location"][0]["location"].get("display") for each in answer.resources]
    assert shown == [LOCATION["name"]] * 20 + [None] * 10
    assert 2 <= most <= 6


async def test_what_cannot_be_read_stays_without_a_display(gateway: Gateway, server: Recorder, r4: str) -> None:
    foreign = {**encounter(2), "location": [{"location": {"reference": "https://elsewhere.example/Location/l1"}}]}
    gone = {**encounter(3), "location": [{"location": {"reference": "Location/gone"}}]}
    server.says("/Encounter", searchset(foreign, gone))
    answer = await gateway.ask(r4, "/fhir/stu3/Encounter?patient=p1")
    assert answer.status == 200
    assert all("display" not in each["location"][0]["location"] for each in answer.resources)
    assert {seen.path for seen in server.seen} == {"/fhir/Encounter", "/fhir/Location/gone"}


@pytest.mark.parametrize(
    "reference", ["../../admin/Location/l1", "Location/..", "Location/l1?_format=xml", "/Location/l1"]
)
async def test_only_plain_references_are_read(gateway: Gateway, server: Recorder, r4: str, reference: str) -> None:
    server.says("/Encounter", searchset({**encounter(1), "location": [{"location": {"reference": reference}}]}))
    assert (await gateway.ask(r4, "/fhir/stu3/Encounter?patient=p1")).status == 200
    assert [seen.path for seen in server.seen] == ["/fhir/Encounter"]


async def test_extra_reads_stay_within_the_scope(gateway: Gateway, server: Recorder, r4: str) -> None:
    server.says("/Encounter", searchset(encounter(1)))
    await gateway.ask(r4, "/fhir/stu3/Encounter?patient=p1", scope="system/Encounter.rs")
    assert {seen.path for seen in server.seen} == {"/fhir/Encounter"}


@pytest.mark.usefixtures("r4")
async def test_statements_of_a_server_that_has_none(gateway: Gateway, server: Recorder) -> None:
    epic = await gateway.tenant(server.base, system="epic")
    found = await gateway.ask(epic, "/fhir/stu3/MedicationStatement?patient=p1")
    assert server.seen[0].path == "/fhir/MedicationRequest"
    assert [resource["resourceType"] for resource in found.resources] == ["MedicationStatement"]
    read = await gateway.ask(epic, "/fhir/dstu2/MedicationStatement/m1")
    assert (read.json["resourceType"], read.json["id"]) == ("MedicationStatement", "m1")


@pytest.mark.parametrize(
    ("version", "face", "asked", "sent"),
    [
        ("r4", "stu3", "Encounter?patient=p1&_sort:desc=date&_count=1", "patient=p1&_count=1&_sort=-date"),
        ("stu3", "stu3", "Encounter?patient=p1&_sort:desc=date", "patient=p1&_sort=-date"),
        ("dstu2", "dstu2", "Encounter?patient=p1&_sort=-date", "patient=p1&_sort:desc=date"),
        ("r4", "dstu2", "Observation?patient=p1&_sort:desc=date&category=a", "patient=p1&category=a&_sort=-date"),
        ("stu3", "stu3", "Coverage?patient=p1", "beneficiary=p1"),
        ("r4", "dstu2", "Coverage?patient=p1", "patient=p1"),
        ("dstu2", "dstu2", "Coverage?patient=p1", "patient=p1"),
    ],
)
async def test_the_apps_searches_in_the_servers_terms(
    gateway: Gateway, server: Recorder, version: str, face: str, asked: str, sent: str
) -> None:
    tenant = await gateway.tenant(server.base, version, system="azure")
    server.says(f"/{asked.partition('?')[0]}", searchset())
    assert (await gateway.ask(tenant, f"/fhir/{face}/{asked}")).status == 200
    assert server.seen[-1].parameters == parse_qsl(sent)


async def test_the_apps_patient_search(gateway: Gateway, server: Recorder, r4: str) -> None:
    server.says("/Patient/_search", searchset({"resourceType": "Patient", "id": "p1"}))
    form = [("id", "p1"), ("family", "oka"), ("given:exact", "Ada"), ("birthdate", "1980-01-01"), ("_count", "10")]
    answer = await gateway.search(r4, "/fhir/stu3/Patient/_search", form)
    assert answer.json["total"] == 1
    assert server.seen[-1].parameters == [
        ("_id", "p1"), ("family:contains", "oka"), ("given:exact", "Ada"), ("birthdate", "1980-01-01"),
        ("_count", "10"), ("_total", "accurate"),
    ]  # fmt: skip


async def test_parameters_that_the_servers_version_lacks(gateway: Gateway, server: Recorder, r4: str) -> None:
    server.says("/Encounter", searchset(encounter(1)))
    target = "/fhir/stu3/Encounter?patient=p1&made-up=1"
    lenient = await gateway.ask(r4, target)
    assert server.seen[0].parameters == [("patient", "p1")]
    note = next(each for each in lenient.resources if each["resourceType"] == "OperationOutcome")
    assert "made-up" in note["issue"][0]["diagnostics"]
    assert lenient.json["total"] == 1
    strict = await gateway.ask(r4, target, headers={"prefer": "handling=strict"})
    assert strict.status == 400


async def test_a_search_never_loses_its_patient(gateway: Gateway, server: Recorder) -> None:
    dstu2 = await gateway.tenant(server.base, "dstu2", system="azure")
    # DSTU2's Coverage has no such parameter
    answer = await gateway.ask(dstu2, "/fhir/stu3/Coverage?beneficiary=p1")
    assert answer.status == 400
    assert server.seen == []


async def test_the_default_face(gateway: Gateway, r4: str) -> None:
    default = await gateway.ask(r4, "/fhir/MedicationRequest/m1")
    assert "agent" in default.json["requester"]
    asked = {"accept": "application/fhir+json; fhirVersion=1.0"}
    assert (await gateway.ask(r4, "/fhir/MedicationOrder/m1", headers=asked)).json["resourceType"] == "MedicationOrder"


async def test_an_outcome_in_the_terms_of_the_face(gateway: Gateway, server: Recorder, r4: str) -> None:
    issue = {"severity": "error", "code": "deleted", "expression": ["Patient"], "diagnostics": "gone"}
    server.says("/Patient/p9", {"resourceType": "OperationOutcome", "issue": [issue]}, 410)
    answer = await gateway.ask(r4, "/fhir/dstu2/Patient/p9")
    assert answer.status == 410
    assert answer.json["issue"][0]["code"] == "not-found"
    assert "expression" not in answer.json["issue"][0]


async def test_the_mrn_is_marked(gateway: Gateway, server: Recorder) -> None:
    tenant = await gateway.tenant(server.base, mrn_system="urn:mrn")
    server.says(
        "/Patient/p1", {"resourceType": "Patient", "id": "p1", "identifier": [{"system": "urn:mrn", "value": "7"}]}
    )
    for face in ("stu3", "r4"):
        (identifier,) = (await gateway.ask(tenant, f"/fhir/{face}/Patient/p1")).json["identifier"]
        assert identifier["type"]["coding"][0]["code"] == "MR"
