from typing import Any

import orjson
import pytest

from gateway.fhir.discretion import DiscreetRewriter
from gateway.registry import Tenant
from gateway.versions import FhirVersion

BASE = "https://ehr.example/fhir"
GATEWAY = "https://gateway.example/fhir/r4"


@pytest.fixture
def urls() -> DiscreetRewriter:
    tenant = Tenant(
        tenant_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
        name="N",
        fhir_url=BASE,
        fhir_version=FhirVersion.R4,
        extra_headers={"X-Source": "source-one", "X-Short": "no"},
        extra_parameters={"ah-practice": "Practice-1", "brand": "2"},
    )
    return DiscreetRewriter(BASE, GATEWAY, tenant)


def shown(urls: DiscreetRewriter, resource: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    return orjson.loads(urls.document(resource))


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("?ah-practice=Practice-1", ""),
        ("?ah-practice=Practice-1&x=1", "?x=1"),
        ("?x=1&ah-practice=Practice-1", "?x=1"),
        ("?x=1&brand=2&ah-practice=P%2F1&y=2", "?x=1&y=2"),
        ("?brand=2&ah-practice=1", ""),
        ("?x=1&AH-Practice=1#part", "?x=1#part"),
        ("?my-brand=2", "?my-brand=2"),
    ],
)
def test_an_address_keeps_the_rest_of_its_query(urls: DiscreetRewriter, query: str, left: str) -> None:
    assert urls.header(f"{BASE}/Patient/1{query}") == f"{GATEWAY}/Patient/1{left}"
    resource = {"resourceType": "Patient", "photo": [{"url": f"{BASE}/Binary/1{query}"}]}
    assert shown(urls, resource)["photo"][0]["url"] == f"{GATEWAY}/Binary/1{left}"


def test_narrative_is_written_with_escaped_signs(urls: DiscreetRewriter) -> None:
    div = f'<div><a href="{BASE}/Patient/1?x=1&amp;brand=2&amp;y=2">Practice-1, brand=2</a></div>'
    narrative = shown(urls, {"resourceType": "Patient", "text": {"status": "generated", "div": div}})["text"]["div"]
    assert narrative == f'<div><a href="{GATEWAY}/Patient/1?x=1&amp;y=2">Practice-1, brand=2</a></div>'


def test_an_outcome_says_neither_header_nor_parameter(urls: DiscreetRewriter) -> None:
    text = "source-one may not read Practice-1: no subscription"
    outcome = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": text, "details": {"text": text}}]}
    [issue] = shown(urls, outcome)["issue"]
    assert issue["diagnostics"] == issue["details"]["text"] == "[…] may not read […]: no subscription"
    bundle = {"resourceType": "Bundle", "entry": [{"resource": outcome}]}
    assert "source-one" not in str(shown(urls, bundle))


def test_records_are_not_touched(urls: DiscreetRewriter) -> None:
    resource = {"resourceType": "Observation", "note": [{"text": "Practice-1 & source-one: brand=2, no"}]}
    assert shown(urls, dict(resource)) == resource
