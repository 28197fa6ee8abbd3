"""Batches through the whole app."""

import asyncio
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from tests.functions.harness import BASE_URL, Gateway, Recorder

pytestmark = pytest.mark.asyncio(loop_scope="module")

EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}


def patient(number: int) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"p{number}"}


@pytest_asyncio.fixture(loop_scope="module")
async def tenant(gateway: Gateway, server: Recorder) -> str:
    for number in range(10):
        server.says(f"/Patient/p{number}", patient(number), ETag=f'W/"{number}"')
    server.says("/Observation", EMPTY)
    server.says("/Patient/_search", EMPTY)
    return await gateway.tenant(server.base)


def statuses(bundle: dict[str, Any]) -> list[str]:
    return [entry["response"]["status"] for entry in bundle["entry"]]


@pytest.mark.parametrize("face", ["/r4", "/r4/"])
async def test_entries_are_answered_in_order_whatever_the_base_ends_with(
    gateway: Gateway, server: Recorder, tenant: str, face: str
) -> None:
    async def late(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        return web.json_response(patient(0), headers={"Last-Modified": "Tue, 24 Nov 2026 10:00:00 GMT"})

    server.answers["/fhir/Patient/p0"] = late
    answer = await gateway.batch(tenant, face, ["Patient/p0", "Patient/p1", "/Patient/p2"])
    assert answer.status == 200
    assert (answer.json["resourceType"], answer.json["type"]) == ("Bundle", "batch-response")
    assert answer.resources == [patient(0), patient(1), patient(2)]
    assert answer.json["entry"][0]["response"] == {"status": "200 OK", "lastModified": "2026-11-24T10:00:00+00:00"}
    assert answer.json["entry"][1]["response"] == {"status": "200 OK", "etag": 'W/"1"'}


async def test_each_entry_has_its_own_status_and_outcome(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Patient/broken", b"<html>", content_type="text/html")
    entries: list[Any] = [
        "Patient/p1",
        "Patient/nobody",
        "Patient/broken",
        "Unheard/1",
        "Patient/..",
        {"request": {"method": "DELETE", "url": "Patient/p1"}},
        {"request": {"url": "Patient/p1"}},
        {"request": {"method": "POST", "url": ""}, "resource": {"resourceType": "Bundle", "type": "batch"}},
        "nonsense",
    ]
    bundle = (await gateway.batch(tenant, "/r4", [*entries[:8], 7])).json
    assert [status.partition(" ")[0] for status in statuses(bundle)] == [
        "200", "404", "502", "404", "400", "405", "400", "400", "400",
    ]  # fmt: skip
    for entry in bundle["entry"][1:]:
        assert entry["resource"]["resourceType"] == "OperationOutcome"
        assert entry["response"]["outcome"] == entry["resource"]


async def test_dstu2_has_no_place_for_outcomes_but_the_body(gateway: Gateway, tenant: str) -> None:
    (entry,) = (await gateway.batch(tenant, "/dstu2", ["Patient/nobody"])).json["entry"]
    assert entry["resource"]["resourceType"] == "OperationOutcome"
    assert "outcome" not in entry["response"]


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE_URL}/fhir/r4/Patient/p1",
        "HTTPS://Gateway.Example/fhir/r4/Patient/p1",
        "https://gateway.example:443/fhir/r4/Patient/p1",
        "http://gateway.example/fhir/r4/Patient/p1",
    ],
)
async def test_absolute_addresses_of_the_gateway_are_its_own(gateway: Gateway, tenant: str, url: str) -> None:
    bundle = (await gateway.batch(tenant, "/r4", [url])).json
    assert statuses(bundle) == ["200 OK"]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/fhir/r4/Patient/p1",
        "//evil.example/Patient/p1",
        "https://gateway.example.evil.example/fhir/r4/Patient/p1",
        "https://gateway.example@evil.example/fhir/r4/Patient/p1",
        "https://gateway.example:8443/fhir/r4/Patient/p1",
        "https://gateway.example/fhir/r4-archive/Patient/p1",
        "https://gateway.example/fhirs/r4/Patient/p1",
        "https://gateway.example/fhir/stu3/Patient/p1",
        "https://[::1/fhir/r4/Patient/p1",
        "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
    ],
)
async def test_absolute_addresses_of_others_are_refused(
    gateway: Gateway, server: Recorder, tenant: str, url: str
) -> None:
    bundle = (await gateway.batch(tenant, "/r4", [url])).json
    assert statuses(bundle)[0].partition(" ")[0] in ("400", "404")
    assert server.seen == []


async def test_the_scope_is_checked_per_entry(gateway: Gateway, server: Recorder, tenant: str) -> None:
    answer = await gateway.batch(tenant, "/r4", ["Patient/p1", "Observation?code=x"], scope="system/Patient.rs")
    assert statuses(answer.json) == ["200 OK", "403 Forbidden"]
    assert [seen.path for seen in server.seen] == ["/fhir/Patient/p1"]


async def test_searches_by_post_take_their_parameters_from_the_address(
    gateway: Gateway, server: Recorder, tenant: str
) -> None:
    entry = {"request": {"method": "POST", "url": "Observation/_search?code=a&code=b"}}
    assert statuses((await gateway.batch(tenant, "/r4", [entry])).json) == ["200 OK"]
    assert server.seen[-1].parameters == [("code", "a"), ("code", "b")]


async def test_conditions_of_entries_reach_the_server(gateway: Gateway, server: Recorder, tenant: str) -> None:
    async def conditional(request: web.Request) -> web.StreamResponse:
        return web.Response(status=304 if request.headers.get("If-None-Match") == 'W/"1"' else 500)

    server.answers["/fhir/Patient/p1"] = conditional
    entry = {"request": {"method": "GET", "url": "Patient/p1", "ifNoneMatch": 'W/"1"'}}
    (answered,) = (await gateway.batch(tenant, "/r4", [entry])).json["entry"]
    assert answered == {"response": {"status": "304 Not Modified"}}


@pytest.mark.parametrize(
    ("bundle", "code"),
    [
        ({"resourceType": "Bundle", "type": "transaction", "entry": []}, "invalid"),
        ({"resourceType": "Bundle", "type": "collection"}, "invalid"),
        ({"resourceType": "Patient"}, "invalid"),
        ([], "invalid"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "invalid"),
        ({"resourceType": "Bundle", "type": "batch", "entry": [{}] * 11}, "too-costly"),
    ],
)
async def test_what_is_no_batch(gateway: Gateway, tenant: str, bundle: object, code: str) -> None:
    headers = {"content-type": "application/json+fhir"}
    answer = await gateway.ask(tenant, "/fhir/r4", method="POST", headers=headers, body=orjson.dumps(bundle))
    assert answer.status == 400
    assert answer.json["issue"][0]["code"] == code


async def test_a_batch_is_sent_as_json(gateway: Gateway, tenant: str) -> None:
    headers = {"content-type": "application/fhir+xml"}
    assert (await gateway.ask(tenant, "/fhir/r4", method="POST", headers=headers, body=b"<a/>")).status == 415


async def test_the_longest_retry_after_is_lifted(gateway: Gateway, server: Recorder, tenant: str) -> None:
    throttled = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "throttled"}]}
    server.says("/Patient/p1", throttled, 429, Retry_After="100")
    server.says("/Patient/p2", throttled, 503, Retry_After="20")
    answer = await gateway.batch(tenant, "/r4", ["Patient/p1", "Patient/p2", "Patient/p3"])
    assert [status.partition(" ")[0] for status in statuses(answer.json)] == ["429", "503", "200"]
    assert answer.headers["retry-after"] == "100"


async def test_entries_run_side_by_side_but_not_all_at_once(gateway: Gateway, server: Recorder, tenant: str) -> None:
    running = most = 0

    async def slow(_request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return web.json_response(patient(1))

    for number in range(10):
        server.answers[f"/fhir/Patient/p{number}"] = slow
    answer = await gateway.batch(tenant, "/r4", [f"Patient/p{number}" for number in range(10)])
    assert len(set(statuses(answer.json))) == 1
    assert 2 <= most <= 8
    hops = dict(part.strip().split(";dur=") for part in answer.headers["server-timing"].split(","))
    # Two rounds of 50 ms: the wall time of the fan-out, not the sum of ten waits.
    assert 90 <= float(hops["upstream"]) <= float(hops["total"]) < 450


async def test_hops_of_a_batch_add_up(gateway: Gateway, tenant: str) -> None:
    answer = await gateway.batch(tenant, "/r4", [f"Patient/p{number}" for number in range(8)])
    hops = {
        name: float(value)
        for name, value in (p.strip().split(";dur=") for p in answer.headers["server-timing"].split(","))
    }
    assert hops["adapt"] > 0
    assert hops["auth"] + hops["map"] + hops["upstream"] + hops["adapt"] <= hops["total"] + 0.05


async def test_an_empty_batch(gateway: Gateway, tenant: str) -> None:
    assert (await gateway.batch(tenant, "/r4", [])).json == {"resourceType": "Bundle", "type": "batch-response"}


async def test_binary_in_a_batch_is_a_resource(gateway: Gateway, server: Recorder, tenant: str) -> None:
    binary = {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": "aGVsbG8="}
    server.says("/Binary/b1", binary)
    assert (await gateway.batch(tenant, "/r4", ["Binary/b1"])).resources == [binary]


async def batches(request: web.Request) -> web.StreamResponse:
    """What a server that can batch makes of one."""
    entries: list[dict[str, Any]] = []
    for entry in (await request.json())["entry"]:
        path = entry["request"]["url"]
        if entry["request"].get("ifNoneMatch"):
            entries.append({"response": {"status": "304"}})
        elif path.startswith("Observation"):
            entries.append({"resource": EMPTY, "response": {"status": "200 OK"}})
        elif path == "Patient/nobody":
            outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}
            entries.append({"response": {"status": "404 Not Found", "outcome": outcome}})
        else:
            response = {"status": "200", "etag": 'W/"9"', "lastModified": "2026-11-24T10:00:00.000Z"}
            entries.append({"resource": patient(int(path[-1])), "response": response})
    return web.json_response({"resourceType": "Bundle", "type": "batch-response", "entry": entries})


@pytest_asyncio.fixture(loop_scope="module")
async def batching(gateway: Gateway, server: Recorder, tenant: str) -> str:
    """A tenant whose server's profile says that it can batch."""
    assert tenant
    server.answers["/fhir"] = batches
    return await gateway.tenant(server.base, system="infor")


async def test_a_server_that_can_batch_is_asked_once(gateway: Gateway, server: Recorder, batching: str) -> None:
    conditional = {"request": {"method": "GET", "url": "Patient/p5", "ifNoneMatch": 'W/"1"'}}
    urls: list[Any] = ["Patient/p1", "Patient/nobody", "Observation?code=x", "Unheard/1", "Patient/p2", conditional]
    bundle = (await gateway.batch(batching, "/r4", urls)).json
    assert [(seen.method, seen.path) for seen in server.seen] == [("POST", "/fhir")]
    assert [status.partition(" ")[0] for status in statuses(bundle)] == ["200", "404", "200", "404", "200", "304"]
    assert [bundle["entry"][number]["resource"]["id"] for number in (0, 4)] == ["p1", "p2"]
    assert bundle["entry"][0]["response"] == {
        "status": "200 OK", "etag": 'W/"9"', "lastModified": "2026-11-24T10:00:00+00:00",
    }  # fmt: skip
    sent = orjson.loads(server.seen[0].body)
    assert [entry["request"]["url"] for entry in sent["entry"]] == [
        "Patient/p1", "Patient/nobody", "Observation?code=x", "Patient/p2", "Patient/p5",
    ]  # fmt: skip


async def test_one_entry_is_no_batch(gateway: Gateway, server: Recorder, batching: str) -> None:
    assert (await gateway.batch(batching, "/r4", ["Patient/p1"])).resources == [patient(1)]
    assert [(seen.method, seen.path) for seen in server.seen] == [("GET", "/fhir/Patient/p1")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resourceType": "OperationOutcome", "issue": []}, 400),
        ({"resourceType": "Bundle", "type": "batch-response", "entry": []}, 200),
        ({"resourceType": "Bundle", "type": "batch-response", "entry": [7, {"response": {}}]}, 200),
        ("<html>", 200),
    ],
)
async def test_a_server_that_fails_at_batches_is_asked_entry_by_entry(
    gateway: Gateway, server: Recorder, batching: str, body: object, status: int
) -> None:
    server.says("", body, status)
    answer = await gateway.batch(batching, "/r4", ["Patient/p1", "Patient/p2"])
    assert answer.resources == [patient(1), patient(2)]
    assert [seen.method for seen in server.seen] == ["POST", "GET", "GET"]


async def test_systems_that_cannot_batch_never_get_one(gateway: Gateway, server: Recorder, tenant: str) -> None:
    await gateway.batch(tenant, "/r4", ["Patient/p1", "Patient/p2"])
    assert {(seen.method, seen.path) for seen in server.seen} == {
        ("GET", "/fhir/Patient/p1"), ("GET", "/fhir/Patient/p2"),
    }  # fmt: skip
