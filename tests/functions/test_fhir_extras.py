"""A hospital that wants a header and a parameter with every request, and that repeats them wherever it can: the app
gets its answers and never sees them.
"""

import logging
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from tests.functions.harness import Answer, Everywhere, Gateway, Recorder

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOURCE = "3f9c0a52-7d1e-4c57-9b6a-2f1f6a0f4d11"
PRACTICE = "Organization/a-1.Practice-195900"
TELLING = (SOURCE, "Practice-195900", "ah-practice", "redox-source")


class Talkative:
    """Answers who says where the request belongs, and names that in links, addresses, headers and outcomes."""

    def __init__(self, server: Recorder) -> None:
        self._server = server
        self.batches: list[list[str]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Redox-Source-Id") != SOURCE or request.query.getall("ah-practice", []) != [PRACTICE]:
            return self._said({"resourceType": "OperationOutcome", "issue": []}, 403)
        below = request.path.removeprefix("/fhir")
        if request.method == "POST" and below in ("", "/"):
            urls = [entry["request"]["url"] for entry in orjson.loads(await request.read())["entry"]]
            self.batches.append(urls)
            entries = [{"response": {"status": "200"}, "resource": self._resource(url)} for url in urls]
            return self._said({"resourceType": "Bundle", "type": "batch-response", "entry": entries})
        if below == "/Patient/nobody":
            return self._said(self._outcome(request), 404)
        return self._said(self._resource(f"{below.lstrip('/')}?{request.query_string}"), request=request)

    def _resource(self, url: str) -> dict[str, Any]:
        path, _, query = url.partition("?")
        kind, _, resource_id = path.partition("/")
        if resource_id and resource_id != "_search":
            photo = {"url": f"{self._server.base}/Binary/b1?ah-practice={PRACTICE}&size=s"}
            return {"resourceType": kind, "id": resource_id, **({"photo": [photo]} if kind == "Patient" else {})}
        number = 2 if "page=2" in query else 1
        subject = {} if kind == "Patient" else {"subject": {"reference": "Patient/p1"}}
        found = {"resourceType": kind, "id": f"{kind.lower()}{number}", **subject}
        own = f"{self._server.base}/{kind}?ah-practice={PRACTICE}"
        links = [{"relation": "self", "url": own}]
        if number == 1:
            links.append({"relation": "next", "url": f"{own}&page=2"})
        entry = {"fullUrl": f"{self._server.base}/{kind}/{found['id']}?ah-practice={PRACTICE}", "resource": found}
        issue = {"severity": "warning", "code": "informational", "diagnostics": f"Seen as {SOURCE} by {own}"}
        note = {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}
        return {"resourceType": "Bundle", "type": "searchset", "total": 2, "link": links, "entry": [entry, note]}

    def _outcome(self, request: web.Request) -> dict[str, Any]:
        text = f"{SOURCE} has no {request.raw_path} in {PRACTICE}, see {self._server.origin}{request.path_qs}"
        issue = {"severity": "error", "code": "not-found", "diagnostics": text, "details": {"text": text}}
        return {"resourceType": "OperationOutcome", "issue": [issue]}

    def _said(self, resource: object, status: int = 200, request: web.Request | None = None) -> web.Response:
        headers = {"Content-Type": "application/fhir+json", "Redox-Source-Id": SOURCE}
        if request is not None:
            headers["Content-Location"] = f"{self._server.origin}{request.path}/_history/1?ah-practice={PRACTICE}"
        return web.Response(body=orjson.dumps(resource), status=status, headers=headers)


@pytest_asyncio.fixture(loop_scope="module")
async def hospital(server: Recorder) -> Talkative:
    talkative = Talkative(server)
    server.answers = Everywhere(talkative.__call__)
    return talkative


async def tenant_of(gateway: Gateway, server: Recorder, system: str = "generic") -> str:
    headers, parameters = {"Redox-Source-Id": SOURCE}, {"ah-practice": PRACTICE}
    return await gateway.tenant(server.base, system=system, extra_headers=headers, extra_parameters=parameters)


def untold(answer: Answer) -> Answer:
    said = (answer.body.decode() + repr(answer.headers)).lower()
    assert [word for word in TELLING if word.lower() in said] == []
    return answer


@pytest.mark.usefixtures("hospital")
@pytest.mark.parametrize("face", ["r4", "stu3"])
async def test_a_read_and_a_refusal(gateway: Gateway, server: Recorder, face: str) -> None:
    tenant = await tenant_of(gateway, server)
    read = untold(await gateway.ask(tenant, f"/fhir/{face}/Patient/p1?ah-practice=another"))
    assert read.status == 200
    assert read.json["photo"][0]["url"].endswith(f"/fhir/{face}/Binary/b1?size=s")
    assert read.headers["content-location"].endswith("/Patient/p1/_history/1")
    refused = untold(await gateway.ask(tenant, f"/fhir/{face}/Patient/nobody"))
    assert refused.status == 404
    assert "[…] has no " in refused.diagnostics


@pytest.mark.usefixtures("hospital")
@pytest.mark.parametrize("system", ["generic", "hapi"])
@pytest.mark.parametrize("search", ["Patient", "Observation"])
async def test_searches_and_their_pages(gateway: Gateway, server: Recorder, system: str, search: str) -> None:
    tenant = await tenant_of(gateway, server, system)
    pairs = [("gender", "male")] if search == "Patient" else [("patient", "p1")]
    form = [*pairs, ("_count", "1"), ("ah-practice", "another")]
    first = untold(await gateway.search(tenant, f"/fhir/r4/{search}/_search", form))
    assert first.status == 200
    found = [resource["id"] for resource in first.resources if "id" in resource]
    following = first.link("next")
    assert following
    second = untold(await gateway.ask(tenant, following))
    found += [resource["id"] for resource in second.resources if "id" in resource]
    assert found == [f"{search.lower()}1", f"{search.lower()}2"]
    # What was asked, and a caller's own parameter of that name was not (search.html#Introduction).
    assert first.link("self").endswith(f"/fhir/r4/{search}?{pairs[0][0]}={pairs[0][1]}&_count=1")


@pytest.mark.parametrize("system", ["generic", "hapi"])
async def test_a_batch(gateway: Gateway, server: Recorder, hospital: Talkative, system: str) -> None:
    tenant = await tenant_of(gateway, server, system)
    urls = ["Patient/p1?ah-practice=another", "Observation?patient=p1&ah-practice=another", "Patient/p2"]
    answer = untold(await gateway.batch(tenant, "/r4", urls))
    assert [entry["response"]["status"] for entry in answer.json["entry"]] == ["200 OK"] * 3
    assert hospital.batches == ([["Patient/p1", "Observation?patient=p1", "Patient/p2"]] if system == "hapi" else [])


@pytest.mark.usefixtures("hospital")
async def test_no_log_line_holds_them(gateway: Gateway, server: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tenant = await tenant_of(gateway, server)
    await gateway.ask(tenant, "/fhir/r4/Patient/p1")
    await gateway.ask(tenant, "/fhir/r4/Patient/nobody")
    await gateway.ask(tenant, "/fhir/r4/Observation?patient=p1")
    assert any(getattr(record, "event", "") == "fhir-access" for record in caplog.records)
    written = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert [text for text in written for word in (SOURCE, PRACTICE) if word in text] == []
