from typing import Any

import orjson
import pytest

from gateway.fhir.urls import OwnAddresses, UrlRewriter

UPSTREAM = "https://ehr.example/fhir"
GATEWAY = "https://gateway.example/fhir/r4"


@pytest.fixture
def urls() -> UrlRewriter:
    return UrlRewriter(UPSTREAM, GATEWAY)


def rewritten(urls: UrlRewriter, resource: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    return orjson.loads(urls.document(resource))


@pytest.mark.parametrize(
    "spelling",
    [
        "https://ehr.example/fhir/Patient/1",
        "http://ehr.example/fhir/Patient/1",
        "https://EHR.Example/fhir/Patient/1",
        "HTTPS://ehr.example/fhir/Patient/1",
        "https://ehr.example:443/fhir/Patient/1",
        "http://ehr.example:80/fhir/Patient/1",
        "http://ehr.example:443/fhir/Patient/1",
    ],
)
def test_every_spelling_of_the_base(urls: UrlRewriter, spelling: str) -> None:
    assert urls.url(spelling) == f"{GATEWAY}/Patient/1"
    resource = {"resourceType": "Observation", "subject": {"reference": spelling}}
    assert rewritten(urls, resource)["subject"]["reference"] == f"{GATEWAY}/Patient/1"


@pytest.mark.parametrize(
    "other",
    [
        "https://ehr.example/fhir-archive/Patient/1",
        "https://ehr.example/fhirs",
        "https://ehr.example.evil.example/fhir/Patient/1",
        "https://not-ehr.example/fhir/Patient/1",
        "https://ehr.example:8443/fhir/Patient/1",
        "https://gateway.example/fhir/Patient/1",
        "Patient/1",
        "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a",
        "#contained",
    ],
)
def test_other_addresses_stay(urls: UrlRewriter, other: str) -> None:
    assert urls.url(other) == other


@pytest.mark.parametrize(
    "value", ["https://ehr.example/fhir", "https://ehr.example/fhir?x=1", "https://ehr.example/fhir#a"]
)
def test_the_base_itself(urls: UrlRewriter, value: str) -> None:
    assert urls.url(value) == GATEWAY + value.removeprefix(UPSTREAM)


def test_a_port_of_its_own_counts() -> None:
    urls = UrlRewriter("http://ehr.example:8080", GATEWAY)
    assert urls.url("http://ehr.example:8080/Patient/1") == f"{GATEWAY}/Patient/1"
    assert urls.url("https://EHR.example:8080/Patient/1") == f"{GATEWAY}/Patient/1"
    assert urls.url("http://ehr.example/Patient/1") == "http://ehr.example/Patient/1"


def test_everywhere_where_an_address_stands(urls: UrlRewriter) -> None:
    there, here = f"{UPSTREAM}/Patient/1", f"{GATEWAY}/Patient/1"
    bundle = {
        "resourceType": "Bundle",
        "link": [{"relation": "self", "url": there}],
        "entry": [
            {
                "fullUrl": there,
                "request": {"method": "GET", "url": there},
                "response": {"location": there},
                "resource": {
                    "resourceType": "DocumentReference",
                    "subject": {"reference": there},
                    "content": [{"attachment": {"url": there}}],
                    "contained": [{"photo": [{"url": there}], "link": [{"other": {"reference": there}}]}],
                    "text": {"div": f'<div><a href="{there}">{there}</a><img src=\'{there}\'/></div>'},
                },
            }
        ],
    }  # fmt: skip
    (entry,) = rewritten(urls, bundle)["entry"]
    assert rewritten(urls, bundle)["link"][0]["url"] == here
    assert (entry["fullUrl"], entry["request"]["url"], entry["response"]["location"]) == (here, here, here)
    resource = entry["resource"]
    assert resource["subject"]["reference"] == here
    assert resource["content"][0]["attachment"]["url"] == here
    assert resource["contained"][0]["photo"][0]["url"] == here
    assert resource["contained"][0]["link"][0]["other"]["reference"] == here
    # links, but not what is written between them
    assert resource["text"]["div"] == f"<div><a href=\"{here}\">{there}</a><img src='{here}'/></div>"


def test_names_are_no_addresses_even_at_the_upstreams_host(urls: UrlRewriter) -> None:
    name = f"{UPSTREAM}/mrn"
    resource = {
        "resourceType": "Patient",
        "meta": {"profile": [f"{UPSTREAM}/StructureDefinition/p"], "tag": [{"system": name}], "source": name},
        "extension": [{"url": f"{UPSTREAM}/StructureDefinition/e", "valueUri": name}],
        "identifier": [{"system": name, "value": name}],
        "code": {"coding": [{"system": name}]},
        "instantiatesCanonical": [name],
    }
    assert rewritten(urls, orjson.loads(orjson.dumps(resource))) == resource


@pytest.mark.parametrize(
    "escaped", [rb"https:\/\/ehr.example\/fhir\/Patient\/1", rb"https://\u0065hr.example/fhir/Patient/1"]
)
def test_escapes_in_the_servers_json(urls: UrlRewriter, escaped: bytes) -> None:
    raw = b'{"resourceType":"Observation","subject":{"reference":"' + escaped + b'"}}'
    assert rewritten(urls, orjson.loads(raw))["subject"]["reference"] == f"{GATEWAY}/Patient/1"


def test_outcomes_lose_the_host_in_any_form(urls: UrlRewriter) -> None:
    text = (
        "GET https://EHR.example:443/fhir/Patient?x=1 failed; https://ehr.example/fhir-archive; Ehr.Example down; "
        "a.ehr.example"
    )
    issue = {
        "code": "invalid",
        "diagnostics": text,
        "details": {"text": text, "coding": [{"display": text}]},
        "expression": [text],
    }
    outcome = {"resourceType": "OperationOutcome", "issue": [issue], "text": {"div": f"<div>{text}</div>"}}
    body = urls.document(outcome)
    assert b"ehr.example" not in body.lower()
    assert f"GET {GATEWAY}/Patient?x=1 failed".encode() in body


def test_an_answer_that_does_not_name_the_host_is_not_walked(
    urls: UrlRewriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked = []
    monkeypatch.setattr(UrlRewriter, "_resource", lambda *_: walked.append(1))
    bundle = {"resourceType": "Bundle", "entry": [{"fullUrl": f"{UPSTREAM}/Patient/1", "resource": {"id": "1"}}]}
    assert rewritten(urls, bundle)["entry"][0]["fullUrl"] == f"{GATEWAY}/Patient/1"
    assert walked == []
    assert rewritten(urls, {"subject": {"reference": f"{UPSTREAM}/Patient/1"}})["subject"] == {
        "reference": f"{GATEWAY}/Patient/1"
    }
    assert walked == []
    urls.document({"photo": [{"url": f"{UPSTREAM}/Binary/1"}]})
    assert walked == [1]


def test_references_in_any_company_and_spelling_are_rewritten(urls: UrlRewriter) -> None:
    references = [f"{UPSTREAM}/Group/1", "https://EHR.example/fhir/Group/2", "Group/3"]
    resource = {
        "member": [{"reference": reference} for reference in references],
        "link": [{"url": f"{UPSTREAM}/Group?x={UPSTREAM}/Group"}],
    }
    assert rewritten(urls, resource) == {
        "member": [
            {"reference": f"{GATEWAY}/Group/1"},
            {"reference": f"{GATEWAY}/Group/2"},
            {"reference": "Group/3"},
        ],
        "link": [{"url": f"{GATEWAY}/Group?x={UPSTREAM}/Group"}],
    }


@pytest.mark.parametrize("text", [f'"reference":"{UPSTREAM}/Patient/1"', f'\\"reference":"{UPSTREAM}/Patient/1'])
def test_a_text_about_a_reference_is_not_rewritten(urls: UrlRewriter, text: str) -> None:
    note = {"note": [{"text": text}], "reference": text}
    assert rewritten(urls, note) == note


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"{UPSTREAM}/Patient/1/_history/2", f"{GATEWAY}/Patient/1/_history/2"),
        ("Patient/1/_history/2", "Patient/1/_history/2"),
        ("https://ehr.example/other", ""),
        ("//ehr.example/other", ""),
    ],
)
def test_addresses_in_headers(urls: UrlRewriter, value: str, shown: str) -> None:
    assert urls.header(value) == shown


@pytest.mark.parametrize(
    ("prefix", "value", "relative"),
    [
        ("/r4", "https://gateway.example/fhir/r4/Patient/1", "Patient/1"),
        ("/r4", "https://gateway.example/fhir/r4?x", "?x"),
        ("/r4", "https://gateway.example/fhir/r4", ""),
        ("/r4", "https://gateway.example/fhir/r44/Patient/1", "r44/Patient/1"),
        ("", "https://gateway.example/fhir/Patient/1", "Patient/1"),
        ("", "https://gateway.example/fhirs/Patient/1", None),
        ("", "https://gateway.example/fhirs", None),
        ("", "https://other.example/fhir/Patient/1", None),
    ],
)
def test_own_addresses(prefix: str, value: str, relative: str | None) -> None:
    assert OwnAddresses("https://gateway.example/fhir", prefix).relative(value) == relative
