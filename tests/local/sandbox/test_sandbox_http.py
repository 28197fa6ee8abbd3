import gzip

import orjson
import pytest

from tests.local.sandbox.asgi_client import Client

_BATCH = {
    "resourceType": "Bundle",
    "type": "batch",
    "entry": [
        {"request": {"method": "GET", "url": "Encounter?patient=1001&_sort:desc=date&_count=1"}},
        {"request": {"method": "GET", "url": "Patient/nobody"}},
        {"request": {"method": "DELETE", "url": "Patient/1001"}},
        {"request": {"method": "GET", "url": "Patient/1001"}},
    ],
}


async def test_read_carries_the_media_type_of_the_version_and_validators(lakeside: Client, northfield: Client) -> None:
    old = await lakeside.get("Patient/1001")
    assert old.headers["content-type"].partition(";")[0] == "application/json+fhir"
    new = await northfield.get("Patient/nf-301")
    assert new.headers["content-type"].partition(";")[0] == "application/fhir+json"
    assert new.headers["etag"] == 'W/"1"'
    assert new.headers["last-modified"] == "Mon, 05 Jan 2026 00:00:00 GMT"


async def test_if_none_match(lakeside: Client) -> None:
    known = await lakeside.get("Patient/1001", if_none_match='W/"1"')
    assert (known.status, known.body, known.headers["etag"]) == (304, b"", 'W/"1"')
    assert (await lakeside.get("Patient/1001", if_none_match='W/"2"')).status == 200


async def test_version_read_and_history(lakeside: Client) -> None:
    current = await lakeside.get("Patient/1001")
    assert (await lakeside.get("Patient/1001/_history/1")).body == current.body
    assert (await lakeside.get("Patient/1001/_history/2")).status == 404
    history = (await lakeside.get("Patient/1001/_history")).json
    assert (history["type"], history["total"]) == ("history", 1)


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "Patient/nobody", 404),
        ("GET", "Starship", 404),
        ("GET", "Starship/1", 404),
        ("GET", "Patient/1001/_history/1/more", 404),
        ("GET", "/elsewhere", 404),
        ("GET", "Patient?_format=xml", 406),
        ("PUT", "Patient/1001", 405),
        ("POST", "Patient", 405),
        ("DELETE", "Patient/1001", 405),
        ("PATCH", "Patient/1001", 405),
        ("POST", "Patient/_search", 415),
    ],
)
async def test_refusals_are_operation_outcomes(lakeside: Client, method: str, url: str, status: int) -> None:
    reply = await lakeside.send(method, url, b"")
    assert (reply.status, reply.json["resourceType"]) == (status, "OperationOutcome")
    assert reply.headers["content-type"].startswith("application/json+fhir")


async def test_batch_keeps_the_order_and_entries_fail_alone(lakeside: Client) -> None:
    reply = await lakeside.send("POST", "", orjson.dumps(_BATCH))
    assert reply.json["type"] == "batch-response"
    entries = reply.json["entry"]
    assert [entry["response"]["status"][:3] for entry in entries] == ["200", "404", "405", "200"]
    kinds = [entry["resource"]["resourceType"] for entry in entries]
    assert kinds == ["Bundle", "OperationOutcome", "OperationOutcome", "Patient"]
    assert entries[0]["resource"]["entry"][0]["resource"]["id"] == "enc-1001-3"


async def test_a_failed_stu3_entry_has_its_outcome_in_the_response(northfield: Client) -> None:
    entry = (await northfield.send("POST", "", orjson.dumps(_BATCH))).json["entry"][1]
    assert entry["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert "resource" not in entry


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"resourceType": "Bundle", "type": "transaction"}'])
async def test_what_is_no_batch_is_refused(lakeside: Client, body: bytes) -> None:
    assert (await lakeside.send("POST", "", body)).status == 400


async def test_riverbend_does_not_batch(riverbend: Client) -> None:
    assert (await riverbend.send("POST", "", orjson.dumps(_BATCH))).status == 405


async def test_gzip_when_asked(lakeside: Client) -> None:
    plain = await lakeside.get("Patient")
    packed = await lakeside.get("Patient", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "content-encoding" not in plain.headers


async def test_links_follow_the_host_of_the_request(lakeside: Client) -> None:
    bundle = (await lakeside.get("Patient?_id=1001", host="other.test")).json
    assert bundle["entry"][0]["fullUrl"] == "http://other.test/baseDstu2/Patient/1001"
