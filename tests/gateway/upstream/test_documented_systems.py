"""What makers document of single systems, beyond what holds for every one (test_search_systems)."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import BadRequest
from gateway.fhir.faces import FACES
from gateway.fhir.interactions import Interaction, Kind
from gateway.fhir.terms import Dictionary, Terms
from gateway.registry import Tenant
from gateway.upstream import Upstream
from gateway.upstream.search import follow, search
from gateway.upstream.systems import PROFILES
from gateway.versions import FhirVersion
from tests.gateway.upstream.conftest import TENANT_ID, MemorySecrets, TenantOf
from tests.upstreams.behaviour import SYSTEMS, Paging, with_token
from tests.upstreams.data import hospital
from tests.upstreams.faults import Status
from tests.upstreams.server import EmulatedServer, emulate

EVERY_SYSTEM = pytest.mark.parametrize("system", list(PROFILES))
PARTNERS = pytest.mark.parametrize("system", ["infor", "corolar", "datica"])
# Links that stand for something that the server keeps for a while.
REMEMBERED = {
    *(Paging.GETPAGES, Paging.CT, Paging.PAGE_CONTEXT, Paging.CURSOR, Paging.CONTINUE),
    *(Paging.PAGE_TOKEN, Paging.SESSION),
}
APP = {"kind": "client-secret-post", "client_id": "gw", "secret": "upstream"}


def face(tenant: Tenant, version: FhirVersion) -> Terms:
    return Dictionary("https://gateway.example/fhir").terms(tenant, FACES[version], f"/{version}")


@EVERY_SYSTEM
async def test_a_read_goes_below_the_base_as_it_is_written(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    """Bases differ: the host's root, case that counts, a tenant's id, four resources deep."""
    async with emulate(SYSTEMS[system]) as server:
        for end in ("", "/"):
            tenant = tenant_of(server, system).model_copy(update={"fhir_url": server.base_url + end})
            assert (await upstream.send(tenant, "GET", "Patient/p1", {})).status == 200
        assert [seen.path for seen in server.requests] == [f"{SYSTEMS[system].base_path}/Patient/p1"] * 2


@EVERY_SYSTEM
async def test_every_search_asks_for_the_systems_own_media_type_first(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate(SYSTEMS[system]) as server:
        await search(upstream, tenant_of(server, system), "Encounter", [("patient", "p1")], {"accept": "text/html"})
        wanted = "application/json" if system == "oracle" else "application/fhir+json"
        assert {seen.headers["accept"].partition(",")[0] for seen in server.requests} == {wanted}
        assert not any("xml" in seen.headers["accept"] for seen in server.requests)


@pytest.mark.parametrize(
    ("system", "resource_type"),
    [("oracle", "Condition"), ("meditech", "Coverage"), ("hapi", "Condition"), ("generic", "Coverage")],
)
async def test_a_count_is_kept_where_the_server_knows_none(
    system: str, resource_type: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    """Oracle has no `_count` for Condition, MEDITECH none for Coverage: there it gets a 400."""
    asked = [("patient", "p3"), ("_count", "2")]
    async with emulate(SYSTEMS[system]) as server:
        answer = await search(upstream, tenant_of(server, system), resource_type, asked, {})
    assert answer.status == 200
    found = [entry["resource"]["id"] for entry in answer.resource["entry"] if "id" in entry["resource"]]
    assert len(found) == 2
    assert all(each.startswith("p3-") for each in found)


@pytest.mark.parametrize("system", ["oracle", "athenahealth", "epic", "infor"])
@pytest.mark.parametrize("name", ["patient", "beneficiary"])
async def test_a_coverage_is_found_by_either_name_of_its_patient(
    system: str, name: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    """Oracle and athenahealth know `patient` only; the app of the STU3 face asks by either."""
    async with emulate(SYSTEMS[system]) as server:
        answer = await search(upstream, tenant_of(server, system), "Coverage", [(name, "Patient/p3")], {})
    found = [entry["resource"]["id"] for entry in answer.resource["entry"] if "id" in entry["resource"]]
    assert found == ["p3-c0", "p3-c1", "p3-c2"]


@pytest.mark.parametrize("system", [name for name, how in SYSTEMS.items() if how.paging in REMEMBERED])
async def test_a_next_link_that_expired_is_refused_with_the_servers_words(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    """HAPI's search cache and Epic's session (4113) end: what follows is an outcome, never a shorter list."""
    async with emulate(SYSTEMS[system]) as server:
        tenant = tenant_of(server, system)
        asked = [("patient", "p3"), ("category", "vital-signs"), ("_count", "1")]
        answer = await search(upstream, tenant, "Observation", asked, {})
        [link] = [link["url"] for link in answer.resource["link"] if link["relation"] == "next"]
        server.end_sessions()
        after = await follow(upstream, tenant, link, {})
    assert (after.status, after.resource["resourceType"]) == (410, "OperationOutcome")


@PARTNERS
async def test_a_partner_names_its_token_endpoint_in_its_capability_statement(
    system: str, upstream: Upstream, secrets: MemorySecrets, tenant_of: TenantOf
) -> None:
    """The contract of the Patients app: `/metadata` without a token, a secret in the form, the tenant as the scope."""
    del secrets
    async with emulate(with_token(SYSTEMS[system])) as server:
        tenant = tenant_of(server, system, auth={**APP, "scope": TENANT_ID})
        answer = await search(upstream, tenant, "Patient", [("gender", "male")], {})
        assert answer.resource["total"] == 6
        assert [seen.path for seen in server.requests][-2:] == ["/fhir/metadata", "/fhir/Patient/_search"]
        assert "authorization" not in server.requests[-2].headers
        assert dict(server.token_requests[0].parameters)["scope"] == TENANT_ID


@pytest.mark.parametrize("system", ["epic", "oracle", "meditech", "athenahealth"])
async def test_a_vendor_names_its_token_endpoint_in_its_smart_configuration(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate(with_token(SYSTEMS[system])) as server:
        auth = {**APP, "kind": "client-secret-basic", "scope": "system/Patient.read"}
        response = await upstream.send(tenant_of(server, system, auth=auth), "GET", "Patient/p1", {})
        assert response.status == 200
        base = SYSTEMS[system].base_path
        assert server.requests[0].path == f"{base}/.well-known/smart-configuration"


async def test_epics_statements_are_its_medication_requests(upstream: Upstream, tenant_of: TenantOf) -> None:
    """Epic's R4 has no MedicationStatement; the STU3 face of the app asks for one or the other."""
    async with emulate(SYSTEMS["epic"], {"MedicationRequest": [prescription("p3")]}) as server:
        tenant = tenant_of(server, "epic")
        terms = face(tenant, FhirVersion.STU3)
        asked = terms.asked(Interaction(Kind.SEARCH, "MedicationStatement"), [("patient", "p3")])
        found = await search(upstream, tenant, asked.resource_type, asked.parameters, {})
        assert {seen.path for seen in server.requests} == {f"{SYSTEMS['epic'].base_path}/MedicationRequest"}
    shown = terms.bundle(found.resource, asked)
    [statement] = [entry["resource"] for entry in shown["entry"] if "id" in entry["resource"]]
    assert statement["resourceType"] == "MedicationStatement"
    assert statement["medicationCodeableConcept"]["text"] == "Furosemide 40 mg"


def prescription(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Furosemide 40 mg"},
        "subject": {"reference": f"Patient/{patient}"},
    }


async def test_epics_break_the_glass_is_not_asked_again(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(SYSTEMS["epic"]) as server:
        server.always = Status(403)
        response = await upstream.send(tenant_of(server, "epic"), "GET", "Patient/p1", {})
        assert response.status == 403
        assert len(server.requests) == 1


@pytest.mark.parametrize(("system", "status"), [("epic", 400), ("oracle", 422)])
async def test_too_many_patients_is_the_servers_word(
    system: str, status: int, upstream: Upstream, tenant_of: TenantOf
) -> None:
    """Epic above 100 patients (4127), Oracle above 1000: the caller narrows the search; it is not asked again."""
    async with emulate(SYSTEMS[system]) as server:
        server.always = Status(status)
        answer = await search(upstream, tenant_of(server, system), "Patient", [("family", "Cham")], {})
        assert (answer.status, answer.resource["resourceType"]) == (status, "OperationOutcome")
        assert len(server.requests) == 1


async def test_meditech_is_not_searched_by_given_alone(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(SYSTEMS["meditech"]) as server:
        with pytest.raises(BadRequest, match="given alone"):
            await search(upstream, tenant_of(server, "meditech"), "Patient", [("given", "Ann"), ("_count", "5")], {})
        assert server.requests == []


async def test_microsofts_long_links_arrive_whole(upstream: Upstream, tenant_of: TenantOf) -> None:
    """`ct` grows to several KB."""
    async with emulate(SYSTEMS["azure"], hospital("r4", patients=25, encounters=0)) as server:
        tenant = tenant_of(server, "azure")
        answer = await search(upstream, tenant, "Patient", [("_count", "20")], {})
        [link] = [link["url"] for link in answer.resource["link"] if link["relation"] == "next"]
        assert len(link) > 3000
        answer = await follow(upstream, tenant, link, {})
        assert len(answer.resource["entry"]) == 5
        assert len(server.requests[-1].query) > 3000


@pytest.mark.parametrize("system", ["azure", "redox"])
async def test_a_quota_is_waited_for(system: str, upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(SYSTEMS[system]) as server:
        server.faults.append(Status(429, retry_after="0"))
        assert (await upstream.send(tenant_of(server, system), "GET", "Patient/p1", {})).status == 200
        assert len(server.requests) == 2


def total_asked(server: EmulatedServer) -> set[str | None]:
    return {dict(seen.parameters).get("_total") for seen in server.requests}


@EVERY_SYSTEM
async def test_an_exact_total_is_asked_for_where_it_must_be(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    """Microsoft's servers and HAPI tell a total when asked; to others `_total` may be unknown."""
    async with emulate(SYSTEMS[system]) as server:
        await search(upstream, tenant_of(server, system), "Patient", [("gender", "male")], {})
        wants = system in ("hapi", "azure", "microsoft-fhir-server")
        assert total_asked(server) == {"accurate" if wants else None}


@pytest.mark.parametrize("system", ["hapi", "meld", "redox", "infor"])
async def test_a_server_without_forms_is_searched_by_get(system: str, upstream: Upstream, tenant_of: TenantOf) -> None:
    """That these take a form is second-hand, or a contract's promise."""
    async with emulate(replace(SYSTEMS[system], post_search="405")) as server:
        answer = await search(upstream, tenant_of(server, system), "Patient", [("gender", "male"), ("_count", "3")], {})
        assert answer.resource["total"] == 6
        assert [seen.method for seen in server.requests[:2]] == ["POST", "GET"]
        assert "content-type" not in server.requests[1].headers
