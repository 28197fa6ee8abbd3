"""Fixed headers and parameters of a tenant, before servers that answer nobody without them."""

from dataclasses import replace

import pytest
from yarl import URL

from gateway.registry import Tenant
from gateway.upstream import Upstream
from gateway.upstream.answers import UpstreamAnswer
from gateway.upstream.extra_parameters import addressed, without_extras
from gateway.upstream.search import follow, search
from gateway.upstream.systems import PROFILES
from gateway.versions import FhirVersion
from tests.gateway.upstream.conftest import TENANT_ID, TenantOf
from tests.upstreams.behaviour import SYSTEMS, Behaviour
from tests.upstreams.data import hospital
from tests.upstreams.faults import Redirect
from tests.upstreams.server import emulate

HEADERS = {"Redox-Source-Id": "3f9c0a52-7d1e-4c57-9b6a-2f1f6a0f4d11"}
PARAMETERS = {"ah-practice": "Organization/a-1.Practice-195900", "ah-brand": "Main & South"}
EXTRAS = {"extra_headers": HEADERS, "extra_parameters": PARAMETERS}
EVERY_SYSTEM = pytest.mark.parametrize("system", list(PROFILES))


def picky(behaviour: Behaviour) -> Behaviour:
    return replace(behaviour, wanted_headers=HEADERS, wanted_parameters=PARAMETERS)


def ids(answer: UpstreamAnswer) -> list[str]:
    return [entry["resource"]["id"] for entry in answer.resource.get("entry", []) if "id" in entry["resource"]]


@EVERY_SYSTEM
async def test_every_page_of_a_search_is_asked_with_them(system: str, upstream: Upstream, tenant_of: TenantOf) -> None:
    found: list[str] = []
    async with emulate(picky(SYSTEMS[system]), hospital("r4", patients=25, encounters=0)) as server:
        tenant = tenant_of(server, system, **EXTRAS)
        answer = await search(upstream, tenant, "Patient", [("gender", "male"), ("_count", "5")], {})
        found += ids(answer)
        while links := [link["url"] for link in answer.resource["link"] if link["relation"] == "next"]:
            answer = await follow(upstream, tenant, links[0], {})
            assert answer.status == 200
            found += ids(answer)
            assert len(found) < 50
    assert sorted(found) == sorted(f"p{number}" for number in range(0, 25, 2))


@EVERY_SYSTEM
async def test_the_latest_encounter_is_found_with_them(system: str, upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(picky(SYSTEMS[system])) as server:
        asked = [("patient", "p3"), ("_sort", "-date"), ("_count", "1")]
        answer = await search(upstream, tenant_of(server, system, **EXTRAS), "Encounter", asked, {})
    assert ids(answer) == ["p3-e0"]


async def test_without_them_that_server_refuses(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(picky(Behaviour())) as server:
        for lacking in ({"extra_headers": HEADERS}, {"extra_parameters": PARAMETERS}, {}):
            response = await upstream.send(tenant_of(server, **lacking), "GET", "Patient/p1", {})
            assert response.status == 403


async def test_a_form_search_has_them_in_its_address(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(picky(SYSTEMS["hapi"])) as server:
        answer = await search(upstream, tenant_of(server, "hapi", **EXTRAS), "Patient", [("family", "Chambers")], {})
        [seen] = server.requests
    assert answer.status == 200
    assert (seen.method, seen.path) == ("POST", "/fhir/Patient/_search")
    assert seen.query.startswith("ah-practice=Organization/a-1.Practice-195900&ah-brand=Main")
    assert b"ah-" not in seen.body


async def test_a_credential_is_sent_beside_them(upstream: Upstream, tenant_of: TenantOf) -> None:
    auth = {"kind": "header", "name": "X-Api-Key", "secret": "upstream"}
    async with emulate(picky(Behaviour())) as server:
        await upstream.send(tenant_of(server, auth=auth, **EXTRAS), "GET", "Patient/p1", {"x-request-id": "r1"})
        [seen] = server.requests
    assert seen.headers["x-api-key"] == "emulator-secret"
    assert seen.headers["redox-source-id"] == HEADERS["Redox-Source-Id"]
    assert seen.headers["x-request-id"] == "r1"


@pytest.mark.parametrize("open_metadata", [True, False])
async def test_the_server_is_asked_for_its_token_endpoint_with_them_and_that_gets_none(
    upstream: Upstream, tenant_of: TenantOf, open_metadata: bool
) -> None:
    auth = {"kind": "client-secret-post", "client_id": "c", "secret": "upstream"}
    async with emulate(picky(Behaviour(token=True, open_metadata=open_metadata))) as server:
        response = await upstream.send(tenant_of(server, auth=auth, **EXTRAS), "GET", "Patient/p1", {})
        [drawn] = server.token_requests
    assert response.status == 200
    assert drawn.query == ""
    assert "redox-source-id" not in drawn.headers
    assert b"ah-practice" not in drawn.body


async def test_two_hospitals_at_one_address_have_token_endpoints_of_their_own(
    upstream: Upstream, tenant_of: TenantOf
) -> None:
    """One that was found with one hospital's header is not taken for the other's."""
    auth = {"kind": "client-secret-post", "client_id": "c", "secret": "upstream"}
    async with emulate(Behaviour(token=True)) as server:
        for number, source in enumerate(("one", "two")):
            tenant_id = f"{TENANT_ID[:-1]}{number}"
            tenant = tenant_of(server, auth=auth, tenant_id=tenant_id, extra_headers={"Redox-Source-Id": source})
            await upstream.send(tenant, "GET", "Patient/p1", {})
    asked = [seen.headers["redox-source-id"] for seen in server.requests if "well-known" in seen.path]
    assert asked == ["one", "two"]


async def test_a_redirect_at_the_server_keeps_them(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(picky(Behaviour())) as server:
        server.faults.append(Redirect(f"{server.base_url}/Patient/p2"))
        response = await upstream.send(tenant_of(server, **EXTRAS), "GET", "Patient/p1", {})
    assert response.status == 200
    assert b'"p2"' in response.body


@pytest.mark.parametrize("name", ["ah-practice", "AH-Practice", "ah-practice:exact", "ah%2Dpractice"])
async def test_a_caller_cannot_ask_for_another_practice(upstream: Upstream, tenant_of: TenantOf, name: str) -> None:
    async with emulate(picky(SYSTEMS["hapi"])) as server:
        tenant = tenant_of(server, "hapi", **EXTRAS)
        read = await upstream.send(tenant, "GET", f"Patient/p1?{name}=Organization/other", {})
        plain = name.replace("%2D", "-")
        form = await search(upstream, tenant, "Patient", [(plain, "Organization/other"), ("gender", "male")], {})
        listed = await search(upstream, tenant, "Encounter", [(plain, "Organization/other"), ("patient", "p1")], {})
        asked = [(each.query + each.body.decode()).lower() for each in server.requests]
    assert (read.status, form.status, listed.status) == (200, 200, 200)
    assert len(asked) == 3
    assert all("other" not in each and each.count("practice=") == 1 for each in asked)


def tenant_with(parameters: dict[str, str]) -> Tenant:
    return Tenant(
        tenant_id=TENANT_ID,
        name="N",
        fhir_url="https://ehr.example/fhir",
        fhir_version=FhirVersion.R4,
        extra_parameters=parameters,
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "?p=1/2&q=a%20b"),
        ("?x=%2f&y", "?x=%2f&y&p=1/2&q=a%20b"),
        # As the server wrote it, wherever it stands: a link may be signed.
        ("?p=1%2F2&x=1&q=a+b", "?p=1%2F2&x=1&q=a+b"),
        ("?x=1&p=1/2", "?x=1&p=1/2&q=a%20b"),
        ("?p=1/2&p=1/2", "?p=1/2&q=a%20b"),
        ("?p=3&x=1&p:exact=1/2&P=1/2", "?x=1&p=1/2&q=a%20b"),
        ("?p", "?p=1/2&q=a%20b"),
    ],
)
def test_an_address_has_each_of_them_once_and_stays_itself(query: str, expected: str) -> None:
    url = URL(f"https://ehr.example/fhir/Patient{query}", encoded=True)
    assert str(addressed(tenant_with({"p": "1/2", "q": "a b"}), url)) == f"https://ehr.example/fhir/Patient{expected}"


def test_a_tenant_without_them_keeps_its_very_address() -> None:
    url = URL("https://ehr.example/fhir/Patient?p=1", encoded=True)
    assert addressed(tenant_with({}), url) is url


@pytest.mark.parametrize(
    ("target", "expected"),
    [("Patient/1", "Patient/1"), ("Patient?p=2", "Patient"), ("Patient?x=%2f&P=2&y", "Patient?x=%2f&y")],
)
def test_what_is_asked_in_a_batch_holds_none_of_them(target: str, expected: str) -> None:
    assert without_extras(tenant_with({"p": "1"}), target) == expected
