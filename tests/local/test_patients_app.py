import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from requests.adapters import BaseAdapter

from local.patients_app import CallFailed, PatientsApp, chart_requests, resources, server_timing
from local.stack_file import DemoClient

BASE = "http://gateway.test/fhir/stu3"
TOKEN_URL = "http://gateway.test/oauth2/token"
TENANT = "22222222-2222-2222-2222-222222222222"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"

type Answer = Callable[[requests.PreparedRequest], tuple[int, Any]]


class Gateway(BaseAdapter):
    """Answers in place of the network, and remembers what it was asked."""

    def __init__(self, fhir: Answer, version: str = "3.0.2") -> None:
        super().__init__()
        self.fhir, self.version = fhir, version
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:  # noqa: ANN401 -- requests' signature
        self.asked.append(request)
        status, body = self._answer(request)
        response = requests.Response()
        response.status_code, response._content = status, json.dumps(body).encode()
        response.headers["Server-Timing"] = "auth;dur=1.5, upstream;dur=20, total;dur=23.25"
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        pass

    def _answer(self, request: requests.PreparedRequest) -> tuple[int, Any]:
        if request.url == TOKEN_URL:
            tokens = sum(earlier.url == TOKEN_URL for earlier in self.asked)
            return 200, {"access_token": f"token-{tokens}", "token_type": "Bearer", "expires_in": 3600}
        if request.url == f"{BASE}/metadata":
            extension = {"url": OAUTH_URIS, "extension": [{"url": "token", "valueUri": TOKEN_URL}]}
            return 200, {"fhirVersion": self.version, "rest": [{"security": {"extension": [extension]}}]}
        return self.fhir(request)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def opened(session: requests.Session, gateway: Gateway) -> PatientsApp:
    session.mount("http://", gateway)
    app = PatientsApp(session, BASE, DemoClient("the-client", "the-secret", "app"), TENANT)
    app.open()
    return app


def searchset(*found: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in found]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}


def test_metadata_needs_no_token_and_tells_the_release(session: requests.Session) -> None:
    gateway = Gateway(lambda _: (500, {}))
    app = opened(session, gateway)
    assert app.release == "stu3"
    assert "Authorization" not in gateway.asked[0].headers


def test_every_request_draws_a_token_of_its_own(session: requests.Session) -> None:
    gateway = Gateway(lambda _: (200, searchset({"resourceType": "Patient", "id": "1"})))
    app = opened(session, gateway)
    app.list_patients()
    app.list_patients()
    bearers = [request.headers.get("Authorization") for request in gateway.asked[1:]]
    assert bearers == [None, "Bearer token-1", None, "Bearer token-2"]
    assert parse_qs(str(gateway.asked[1].body)) == {
        "grant_type": ["client_credentials"],
        "client_id": ["the-client"],
        "client_secret": ["the-secret"],
        "scope": [TENANT],
    }


def test_the_patient_list_is_a_post(session: requests.Session) -> None:
    gateway = Gateway(lambda _: (200, searchset({"resourceType": "Patient", "id": "1"})))
    assert opened(session, gateway).list_patients(count=5) == (1, [{"resourceType": "Patient", "id": "1"}])
    last = gateway.asked[-1]
    assert (last.method, last.url, last.body) == ("POST", f"{BASE}/Patient/_search", "_count=5")


def test_server_timing_stands_beside_the_wait(session: requests.Session) -> None:
    app = opened(session, Gateway(lambda _: (500, {})))
    (hop,) = app.hops
    assert (hop.call, hop.status) == ("GET metadata", 200)
    assert hop.parts == {"auth": 1.5, "upstream": 20.0, "total": 23.25}


def test_a_failed_batch_entry_is_a_failed_call(session: requests.Session) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, Any]:
        entries = [
            {"response": {"status": "502"}}
            if "Coverage" in entry["request"]["url"]
            else {"response": {"status": "200 OK"}, "resource": searchset()}
            for entry in json.loads(request.body or "")["entry"]
        ]
        return 200, {"type": "batch-response", "entry": entries}

    with pytest.raises(CallFailed, match="the entry for Coverage answered 502"):
        opened(session, Gateway(answer)).chart("1")


def test_a_short_batch_response_is_a_failed_call(session: requests.Session) -> None:
    gateway = Gateway(lambda _: (200, {"type": "batch-response", "entry": []}))
    with pytest.raises(CallFailed, match="one entry per request"):
        opened(session, gateway).chart("1")


def test_a_missing_total_is_a_failed_call(session: requests.Session) -> None:
    gateway = Gateway(lambda _: (200, {"resourceType": "Bundle", "entry": []}))
    with pytest.raises(CallFailed, match=r"no Bundle\.total"):
        opened(session, gateway).list_patients()


def test_a_reference_out_of_the_service_is_not_followed(session: requests.Session) -> None:
    gateway = Gateway(lambda _: (200, {"resourceType": "Location", "id": "l"}))
    app = opened(session, gateway)
    assert app.read("Location/l")["id"] == "l"
    assert app.read(f"{BASE}/Location/l")["id"] == "l"
    with pytest.raises(CallFailed, match="leads away"):
        app.read("http://ehr.test/fhir/Location/l")
    assert all(str(request.url).startswith("http://gateway.test/") for request in gateway.asked)


def test_an_unknown_fhir_version_is_a_failed_call(session: requests.Session) -> None:
    with pytest.raises(CallFailed, match=r"fhirVersion '5.0.0'"):
        opened(session, Gateway(lambda _: (500, {}), version="5.0.0"))


def test_encounters_are_sorted_the_dstu2_way_in_stu3_too() -> None:
    assert "Encounter?patient=1&_sort:desc=date&_count=1" in chart_requests("dstu2", "1")
    assert "Encounter?patient=1&_sort:desc=date&_count=1" in chart_requests("stu3", "1")
    assert "Observation?patient=1&category=vital-signs&_sort=-date" in chart_requests("stu3", "1")
    assert "MedicationOrder?patient=1&_count=10" in chart_requests("dstu2", "1")


def test_only_matches_count_as_found() -> None:
    bundle = searchset({"id": "a"})
    bundle["entry"].append({"resource": {"id": "b"}, "search": {"mode": "include"}})
    assert resources(bundle) == [{"id": "a"}]


@pytest.mark.parametrize(
    ("header", "expected"),
    [("", {}), ("auth;dur=1", {"auth": 1.0}), ('a;desc="x";dur="2.5",b', {"a": 2.5})],
)
def test_server_timing(header: str, expected: dict[str, float]) -> None:
    assert server_timing(header) == expected
