"""Reads and searches through the whole app: what reaches the server, and what comes back."""

import gzip
from urllib.parse import parse_qsl

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from tests.functions.harness import BASE_URL, FORM, Gateway, Recorder

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female"}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}


@pytest_asyncio.fixture(loop_scope="module")
async def tenant(gateway: Gateway, server: Recorder) -> str:
    server.says("/Patient/p1", PATIENT, ETag='W/"7"', Last_Modified="Tue, 24 Nov 2026 10:00:00 GMT")
    # A system that searches as it is asked, so that what the app sent is seen at the server.
    return await gateway.tenant(server.base, system="azure")


async def test_a_read_passes_etag_and_last_modified(gateway: Gateway, server: Recorder, tenant: str) -> None:
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1")
    assert answer.status == 200
    assert answer.json == PATIENT
    assert answer.headers["etag"] == 'W/"7"'
    assert answer.headers["last-modified"] == "Tue, 24 Nov 2026 10:00:00 GMT"
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.headers["cache-control"] == "no-store"
    assert [(seen.method, seen.target) for seen in server.seen] == [("GET", "/fhir/Patient/p1")]


async def test_a_strong_etag_becomes_weak(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Patient/p1", PATIENT, ETag='"7"')
    assert (await gateway.ask(tenant, "/fhir/r4/Patient/p1")).headers["etag"] == 'W/"7"'


async def test_a_read_keeps_its_query_letter_by_letter(gateway: Gateway, server: Recorder, tenant: str) -> None:
    await gateway.ask(tenant, "/fhir/r4/Patient/p1?_summary=true&_format=json&x=%2c%20,+&x=&_pretty=true")
    assert server.seen[0].target == "/fhir/Patient/p1?_summary=true&x=%2c%20,+&x="


async def test_head_answers_as_get_without_a_body(gateway: Gateway, tenant: str) -> None:
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["etag"] == 'W/"7"'


async def test_vread_and_history(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Patient/p1/_history/7", PATIENT)
    entry = {
        "fullUrl": f"{server.base}/Patient/p1",
        "resource": PATIENT,
        "request": {"method": "PUT", "url": f"{server.base}/Patient/p1"},
        "response": {"status": "200", "location": f"{server.base}/Patient/p1/_history/7"},
    }
    links = [{"relation": "next", "url": f"{server.base}?_getpages=1"}, {"relation": "self", "url": server.base}]
    server.says("/Patient/p1/_history", {"resourceType": "Bundle", "type": "history", "link": links, "entry": [entry]})
    assert (await gateway.ask(tenant, "/fhir/r4/Patient/p1/_history/7")).json == PATIENT
    history = await gateway.ask(tenant, "/fhir/r4/Patient/p1/_history?_count=1")
    assert server.seen[-1].target == "/fhir/Patient/p1/_history?_count=1"
    (shown,) = history.json["entry"]
    assert shown["fullUrl"] == f"{BASE_URL}/fhir/r4/Patient/p1"
    assert shown["request"]["url"] == f"{BASE_URL}/fhir/r4/Patient/p1"
    assert shown["response"]["location"] == f"{BASE_URL}/fhir/r4/Patient/p1/_history/7"
    assert history.link("self") == f"{BASE_URL}/fhir/r4/Patient/p1/_history"
    server.says("", {"resourceType": "Bundle", "type": "history"})
    await gateway.ask(tenant, history.link("next"))
    assert server.seen[-1].target == "/fhir?_getpages=1"


@pytest.mark.parametrize(
    "query",
    [
        "date=ge2026-01-01&date=lt2027-01-01",
        "code=http%3A%2F%2Floinc.org%7C85354-9,http%3A%2F%2Floinc.org%7C8480-6",
        "patient.family=M%C3%BCller&subject:Patient.given=A%20B",
        "_include=Observation:subject&_revinclude=Provenance:target&_elements=code,value",
        "value-quantity=5.4%7Chttp%3A%2F%2Funitsofmeasure.org%7Cmg&code:not=a\\,b",
        "note=100%25+%2B&category:in=x",
        "_summary=true&_total=none",
    ],
)
async def test_parameters_survive_with_order_repetition_and_modifiers(
    gateway: Gateway, server: Recorder, tenant: str, query: str
) -> None:
    server.says("/Observation", EMPTY)
    answer = await gateway.ask(tenant, f"/fhir/r4/Observation?{query}")
    assert answer.status == 200, answer.body
    assert server.seen[-1].parameters == parse_qsl(query, keep_blank_values=True)
    # and the search that was carried out is named in the same words
    assert parse_qsl(answer.link("self").partition("?")[2], keep_blank_values=True) == server.seen[-1].parameters


async def test_post_search_takes_query_and_body_together(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Patient/_search", EMPTY)
    answer = await gateway.search(
        tenant, "/fhir/r4/Patient/_search?gender=male&_format=json", [("family", "Müller & Söhne"), ("family", "b")]
    )
    assert answer.status == 200
    assert server.seen[-1].method == "POST"
    # `_total` is what this system needs for a right Bundle.total
    assert server.seen[-1].parameters == [
        ("gender", "male"), ("family", "Müller & Söhne"), ("family", "b"), ("_total", "accurate"),
    ]  # fmt: skip


async def test_a_search_by_post_needs_a_form(gateway: Gateway, tenant: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/_search", method="POST", headers=headers, body=b"{}")
    assert answer.status == 415


async def test_conditional_reads(gateway: Gateway, server: Recorder, tenant: str) -> None:
    async def conditional(request: web.Request) -> web.StreamResponse:
        matches = request.headers.get("If-None-Match") == 'W/"7"'
        return web.Response(status=304 if matches else 200, headers={"ETag": 'W/"7"'})

    server.answers["/fhir/Patient/p1"] = conditional
    headers = {
        "if-none-match": 'W/"7"',
        "if-modified-since": "Tue, 24 Nov 2026 10:00:00 GMT",
        "prefer": "return=minimal",
    }
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1", headers=headers)
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == 'W/"7"'
    assert "content-type" not in answer.headers or answer.headers["content-type"] != "text/plain"
    sent = server.seen[-1].headers
    assert {name.lower(): sent[name] for name in sent if name.lower() in headers} == headers


async def test_only_what_is_allowed_travels(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says(
        "/Patient/p1", PATIENT, Set_Cookie="a=b", Server="EHR/1", X_Powered_By="x", Via="1.1 proxy",
        Content_Location=f"{server.base}/Patient/p1/_history/7", Location="http://elsewhere.example/Patient/p1",
    )  # fmt: skip
    headers = {
        "cookie": "session=1",
        "x-forwarded-for": "10.1.2.3",
        "x-forwarded-host": "spoofed.example",
        "forwarded": "for=10.1.2.3",
        "x-custom": "1",
        "user-agent": "the app",
        "x-request-id": "from-the-app",
        "origin": "https://app.example",
    }
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1", headers=headers)
    assert answer.headers["content-location"] == f"{BASE_URL}/fhir/r4/Patient/p1/_history/7"
    assert "location" not in answer.headers
    assert "via" not in answer.headers
    sent = {name.lower(): value for name, value in server.seen[-1].headers.items()}
    assert sent.keys() == {"host", "accept", "accept-encoding", "user-agent", "x-request-id"}
    assert sent["user-agent"] == "patients-gateway"
    assert sent["x-request-id"] == "from-the-app"
    assert "gzip" in sent["accept-encoding"]


@pytest.mark.parametrize(
    ("accept", "query", "status"),
    [
        ("", "", 200),
        ("*/*", "", 200),
        ("application/fhir+json", "", 200),
        ("application/json+fhir", "", 200),
        ("application/json;charset=utf-8", "", 200),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "", 200),
        ("application/fhir+xml", "", 406),
        ("application/fhir+xml, application/fhir+json;q=0.5", "", 200),
        ("application/fhir+xml, application/fhir+json;q=0", "", 406),
        ("application/fhir+xml", "?_format=json", 200),
        ("application/fhir+json", "?_format=xml", 406),
        ("application/fhir+json", "?_format=application/fhir%2Bxml", 406),
        ("", "?_format=application/fhir+json", 200),
        ("", "?_format=turtle", 406),
    ],
)
async def test_the_form_of_the_answer(gateway: Gateway, tenant: str, accept: str, query: str, status: int) -> None:
    answer = await gateway.ask(tenant, f"/fhir/r4/Patient/p1{query}", headers={"accept": accept} if accept else {})
    assert answer.status == status
    assert answer.headers["content-type"] == "application/fhir+json"


async def test_large_answers_are_compressed_for_those_who_ask(gateway: Gateway, server: Recorder, tenant: str) -> None:
    large = {**PATIENT, "text": {"status": "generated", "div": "<div>" + "x" * 5000 + "</div>"}}
    server.says("/Patient/p1", gzip.compress(orjson.dumps(large)), Content_Encoding="gzip")
    packed = await gateway.ask(tenant, "/fhir/r4/Patient/p1", headers={"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.json == large
    for refused in ({}, {"accept-encoding": "gzip;q=0"}, {"accept-encoding": "br"}):
        plain = await gateway.ask(tenant, "/fhir/r4/Patient/p1", headers=refused)
        assert "content-encoding" not in plain.headers
        assert plain.json == large


async def test_small_answers_are_not_compressed(gateway: Gateway, tenant: str) -> None:
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("face", ["/stu3", "/r4"])
async def test_binary_passes_byte_for_byte(gateway: Gateway, server: Recorder, tenant: str, face: str) -> None:
    content = bytes(range(256)) * 3 + b"<script>{}"
    server.says("/Binary/b1", content, content_type="image/png", ETag='W/"1"')
    answer = await gateway.ask(tenant, f"/fhir{face}/Binary/b1", headers={"accept": "image/png"})
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == "attachment"
    assert server.seen[-1].headers["Accept"] == "image/png"


async def test_binary_that_the_server_wraps_is_unwrapped(gateway: Gateway, server: Recorder, tenant: str) -> None:
    wrapped = {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": "aGVsbG8="}
    server.says("/Binary/b1", wrapped)
    assert (await gateway.ask(tenant, "/fhir/r4/Binary/b1", headers={"accept": "text/plain"})).body == b"hello"
    as_resource = await gateway.ask(tenant, "/fhir/r4/Binary/b1", headers={"accept": "application/fhir+json"})
    assert as_resource.json == wrapped


@pytest.mark.parametrize(
    "case",
    [
        ("PUT /Patient/p1", 405, "GET, HEAD"),
        ("DELETE /Patient/p1", 405, "GET, HEAD"),
        ("POST /Patient", 405, "GET, HEAD"),
        ("PATCH /Patient/p1", 405, "GET, HEAD"),
        ("GET /Patient/_search", 405, "POST"),
        ("GET ", 405, "POST"),
        ("GET /Patient/p1/$everything", 405, ""),
        ("GET /$meta", 405, ""),
        ("GET /Patient/_history", 405, ""),
        ("GET /Patient/p1/Observation", 405, ""),
        ("GET /Unheard", 404, None),
        ("GET /patient/p1", 404, None),
        ("GET /Patient/...", 400, None),
        ("GET /Patient/a%20b", 400, None),
    ],
)
async def test_what_is_not_offered(
    gateway: Gateway, server: Recorder, tenant: str, case: tuple[str, int, str | None]
) -> None:
    request_line, status, allow = case
    method, _, path = request_line.partition(" ")
    answer = await gateway.ask(tenant, f"/fhir/r4{path}", method=method)
    assert answer.status == status
    assert answer.headers.get("allow") == allow
    assert answer.json["resourceType"] == "OperationOutcome"
    assert server.seen == []


async def test_a_body_needs_a_length_and_an_end(gateway: Gateway, tenant: str) -> None:
    token = await gateway.token(tenant)
    headers = {"authorization": f"Bearer {token}", "content-type": FORM}
    chunked = await gateway.caller.request("POST", "/fhir/r4/Patient/_search", headers=headers, body=[b"family=a"])
    assert chunked.status == 411
    large = await gateway.ask(
        tenant, "/fhir/r4/Patient/_search", method="POST", headers={"content-type": FORM}, body=b"a=" + b"b" * 1_048_576
    )
    assert large.status == 413


async def test_the_servers_own_refusal_passes_without_its_host(gateway: Gateway, server: Recorder, tenant: str) -> None:
    text = f"Unknown parameter at {server.base}/Patient?x=1 on {server.origin.upper()} (localhost)"
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "invalid", "diagnostics": text}],
    }
    server.says("/Patient/p2", outcome, 422)
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p2")
    assert answer.status == 422
    assert answer.diagnostics.startswith(f"Unknown parameter at {BASE_URL}/fhir/r4/Patient?x=1 on ")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [(b"<html>", "text/html", 200), (b'{"resourceType":', "application/fhir+json", 200), (b"oops", "text/plain", 500)],
)
async def test_what_is_no_fhir_is_a_502(
    gateway: Gateway, server: Recorder, tenant: str, body: bytes, content_type: str, status: int
) -> None:
    server.says("/Patient/p3", body, status, content_type=content_type)
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p3")
    assert answer.status == 502
    assert answer.json["resourceType"] == "OperationOutcome"


async def test_a_scope_that_does_not_reach_the_type(gateway: Gateway, server: Recorder, tenant: str) -> None:
    answer = await gateway.ask(tenant, "/fhir/r4/Patient/p1", scope="system/Observation.read")
    assert answer.status == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert server.seen == []


async def test_included_resources_beyond_the_scope_stay_out(gateway: Gateway, server: Recorder, tenant: str) -> None:
    entries = [
        {"resource": {"resourceType": "Observation", "id": "o1", "status": "final"}, "search": {"mode": "match"}},
        {"resource": PATIENT, "search": {"mode": "include"}},
    ]
    server.says("/Observation", {**EMPTY, "total": 1, "entry": entries})
    target = "/fhir/r4/Observation?_include=Observation:subject"
    narrow = await gateway.ask(tenant, target, scope="system/Observation.rs")
    assert [resource["resourceType"] for resource in narrow.resources] == ["Observation"]
    wide = await gateway.ask(tenant, target)
    assert [resource["resourceType"] for resource in wide.resources] == ["Observation", "Patient"]


async def test_the_gateways_own_references_in_searches_become_relative(
    gateway: Gateway, server: Recorder, tenant: str
) -> None:
    server.says("/Observation", EMPTY)
    await gateway.ask(tenant, "/fhir/r4/Observation?subject=HTTPS://Gateway.Example:443/fhir/r4/Patient/p1,Patient/p2")
    assert server.seen[-1].parameters == [("subject", "Patient/p1,Patient/p2")]


async def test_without_a_token(gateway: Gateway) -> None:
    answer = await gateway.caller.request("GET", "/fhir/stu3/Patient/p1")
    assert answer.status == 401
    assert (answer.header("www-authenticate") or "").startswith("Bearer")
    assert orjson.loads(answer.body)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("face", ["r4", "stu3", "dstu2"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"entry": {}},
        {"entry": [1, None, [], {}, {"resource": 7}, {"resource": {}}, {"fullUrl": 5, "resource": {"id": 1}}]},
        {"entry": [{"resource": {"resourceType": 7}}, {"resource": {"resourceType": "Unheard"}}]},
        {
            "entry": [
                {"resource": {"resourceType": "Patient", "name": 5, "identifier": [7], "generalPractitioner": "x"}}
            ]
        },
        {"link": {}, "total": "many"},
        {"link": [1, {"relation": 7, "url": 7}, {"relation": "next"}, {"relation": "next", "url": "http://[::1"}]},
    ],
)
async def test_malformed_bundles_are_survived(
    gateway: Gateway, server: Recorder, tenant: str, face: str, wrong: dict[str, object]
) -> None:
    server.says("/Patient", {"resourceType": "Bundle", "type": "searchset", **wrong})
    server.says("/Patient/_search", {"resourceType": "Bundle", "type": "searchset", **wrong})
    server.says("/Patient/p1/_history", {"resourceType": "Bundle", "type": "history", **wrong})
    for path in ("Patient?family=x", "Patient/p1/_history"):
        answer = await gateway.ask(tenant, f"/fhir/{face}/{path}")
        assert answer.status in (200, 502), answer.body
