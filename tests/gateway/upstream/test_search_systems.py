"""What the app relies on, for every system as its makers document it."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from gateway.errors import BadRequest
from gateway.fhir.faces import FACES
from gateway.fhir.interactions import Interaction, Kind
from gateway.fhir.terms import Dictionary
from gateway.upstream import Upstream
from gateway.upstream.answers import UpstreamAnswer
from gateway.upstream.search import follow, search
from gateway.upstream.systems import PROFILES
from gateway.versions import FhirVersion
from tests.gateway.upstream.conftest import TenantOf
from tests.upstreams.behaviour import SYSTEMS, Behaviour
from tests.upstreams.data import hospital
from tests.upstreams.server import emulate

EVERY_SYSTEM = pytest.mark.parametrize("system", list(PROFILES))


def ids(answer: UpstreamAnswer) -> list[str]:
    return [entry["resource"]["id"] for entry in answer.resource.get("entry", []) if "id" in entry["resource"]]


def test_every_profile_has_its_emulated_counterpart() -> None:
    assert set(SYSTEMS) == set(PROFILES)


@EVERY_SYSTEM
async def test_the_latest_encounter_is_where_the_patient_is(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate(SYSTEMS[system]) as server:
        asked = [("patient", "p3"), ("_sort", "-date"), ("_count", "1")]
        answer = await search(upstream, tenant_of(server, system), "Encounter", asked, {})
    assert answer.status == 200
    assert ids(answer) == ["p3-e0"]


@EVERY_SYSTEM
async def test_the_total_of_a_patient_search_is_the_number_of_matches(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    patients = hospital("r4", patients=60, encounters=0)
    async with emulate(SYSTEMS[system], patients) as server:
        answer = await search(upstream, tenant_of(server, system), "Patient", [("gender", "male"), ("_count", "7")], {})
    assert answer.resource["total"] == 30
    assert len(ids(answer)) == 7


@EVERY_SYSTEM
async def test_all_pages_together_are_all_matches_and_none_twice(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    patients = hospital("r4", patients=25, encounters=0)
    found: list[str] = []
    async with emulate(SYSTEMS[system], patients) as server:
        tenant = tenant_of(server, system)
        answer = await search(upstream, tenant, "Patient", [("gender", "male"), ("_count", "5")], {})
        found += ids(answer)
        while links := [link["url"] for link in answer.resource["link"] if link["relation"] == "next"]:
            answer = await follow(upstream, tenant, links[0], {})
            found += ids(answer)
            assert len(found) < 50
    assert sorted(found) == sorted(f"p{number}" for number in range(0, 25, 2))


@EVERY_SYSTEM
async def test_family_contains_finds_what_contains_it_and_nothing_else(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    patients = hospital("r4", patients=60, encounters=0)
    async with emulate(SYSTEMS[system], patients) as server:
        answer = await search(upstream, tenant_of(server, system), "Patient", [("family:contains", "cham")], {})
    names = [entry["resource"]["name"][0]["family"] for entry in answer.resource["entry"] if "id" in entry["resource"]]
    assert set(names) == {"Chambers"}
    assert answer.resource["total"] == len(names) == 10


@pytest.mark.parametrize("system", ["hapi", "azure", "infor", "corolar", "google"])
async def test_the_middle_of_a_name_is_found_where_the_server_can(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate(SYSTEMS[system]) as server:
        answer = await search(upstream, tenant_of(server, system), "Patient", [("family:contains", "HAMB")], {})
    assert sorted(ids(answer)) == ["p10", "p4"]


async def test_names_match_without_accents_where_the_gateway_filters(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(SYSTEMS["corolar"]) as server:
        tenant = tenant_of(server, "corolar")
        answer = await search(
            upstream, tenant, "Patient", [("family:contains", "ULLE"), ("given:contains", "rene")], {}
        )
        assert ids(answer) == []  # every Müller is an Ann or a Peter
        answer = await search(upstream, tenant, "Patient", [("family:contains", "ULLE")], {})
    assert sorted(ids(answer)) == ["p0", "p6"]


@EVERY_SYSTEM
async def test_given_is_searched_even_where_the_server_does_not_know_it(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    asked = [("family", "Cham"), ("given", "Ann")]
    async with emulate(SYSTEMS[system], hospital("r4", patients=60, encounters=0)) as server:
        answer = await search(upstream, tenant_of(server, system), "Patient", asked, {})
        # Chambers are p4, p10, …; Ann is p0, p4, …: both hold for p4, p16, p28, p40 and p52.
        assert sorted(ids(answer)) == ["p16", "p28", "p4", "p40", "p52"]
    assert answer.resource["total"] == 5


@EVERY_SYSTEM
async def test_nobody_elses_coverage_is_shown_when_the_server_ignores_the_patient(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    behaviour = replace(SYSTEMS[system], ignored=frozenset({"patient", "beneficiary"}))
    found: list[str] = []
    async with emulate(behaviour) as server:
        tenant = tenant_of(server, system)
        answer = await search(upstream, tenant, "Coverage", [("patient", "p3")], {})
        for _ in range(20):
            found += ids(answer)
            assert all(name.startswith("p3-") for name in ids(answer))
            assert answer.resource.get("total") in (None, 3)
            links = [link["url"] for link in answer.resource["link"] if link["relation"] == "next"]
            if not links:
                break
            answer = await follow(upstream, tenant, links[0], {})
    assert list(dict.fromkeys(found)) == ["p3-c0", "p3-c1", "p3-c2"]


@EVERY_SYSTEM
async def test_observations_come_newest_first(system: str, upstream: Upstream, tenant_of: TenantOf) -> None:
    asked = [("patient", "p5"), ("category", "vital-signs"), ("_sort", "-date")]
    async with emulate(SYSTEMS[system]) as server:
        answer = await search(upstream, tenant_of(server, system), "Observation", asked, {})
    assert ids(answer) == ["p5-o0", "p5-o1", "p5-o2"]


async def test_epic_is_not_asked_for_observations_without_category(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(SYSTEMS["epic"]) as server:
        with pytest.raises(BadRequest, match="category or code"):
            await search(upstream, tenant_of(server, "epic"), "Observation", [("patient", "p1")], {})
        assert server.requests == []


@pytest.mark.parametrize("system", [name for name, profile in PROFILES.items() if not profile.post_search])
async def test_a_form_goes_to_no_server_that_may_ignore_it(
    system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate(SYSTEMS[system]) as server:
        await search(upstream, tenant_of(server, system), "Patient", [("family", "Cham")], {})
        assert {seen.method for seen in server.requests} == {"GET"}


async def test_epics_empty_result_counts_nothing(upstream: Upstream, tenant_of: TenantOf) -> None:
    nothing: dict[str, list[dict[str, Any]]] = {}
    async with emulate(SYSTEMS["epic"], nothing) as server:
        answer = await search(upstream, tenant_of(server, "epic"), "Patient", [("family", "Nobody")], {})
    assert answer.resource["total"] == 0
    assert ids(answer) == []


@pytest.mark.parametrize(
    ("version", "sort"), [("dstu2", ("_sort:desc", "date")), ("stu3", ("_sort", "-date")), ("r4", ("_sort", "-date"))]
)
async def test_every_release_is_sorted(
    version: Literal["dstu2", "stu3", "r4"], sort: tuple[str, str], upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate(replace(SYSTEMS["generic"], version=version)) as server:
        asked = [("patient", "p3"), sort, ("_count", "1")]
        answer = await search(upstream, tenant_of(server), "Encounter", asked, {})
    assert ids(answer) == ["p3-e0"]


@pytest.mark.parametrize("version", ["dstu2", "stu3", "r4"])
async def test_every_release_tells_whose_coverage_it_is(
    version: Literal["dstu2", "stu3", "r4"], upstream: Upstream, tenant_of: TenantOf
) -> None:
    behaviour = Behaviour(version=version, ignored=frozenset({"patient"}), page_size=100)
    async with emulate(behaviour) as server:
        answer = await search(upstream, tenant_of(server, "hapi"), "Coverage", [("patient", "p3")], {})
    assert ids(answer) == ["p3-c0", "p3-c1", "p3-c2"]
    assert answer.resource["total"] == 3


async def test_a_bare_number_counts_the_asked_patients_own(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(Behaviour(ignored=frozenset({"patient"}))) as server:
        asked = [("patient", "p3"), ("_summary", "count")]
        answer = await search(upstream, tenant_of(server, "hapi"), "Coverage", asked, {})
    assert answer.resource["total"] == 3
    assert "entry" not in answer.resource


async def test_elements_do_not_hide_whose_a_result_is(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        asked = [("patient", "p3"), ("_elements", "period")]
        await search(upstream, tenant_of(server, "hapi"), "Encounter", asked, {})
        sent = dict(server.requests[0].parameters)["_elements"].split(",")
    assert sent[0] == "period"
    assert {"patient", "subject"} <= set(sent)


@EVERY_SYSTEM
async def test_the_patient_of_an_mrn_is_found(system: str, upstream: Upstream, tenant_of: TenantOf) -> None:
    """The app sends the bare number; what the server takes it by is the profile's business."""
    async with emulate(SYSTEMS[system]) as server:
        tenant = tenant_of(server, system, mrn_system="urn:mrn")
        terms = Dictionary("https://gateway.example/fhir").terms(tenant, FACES[FhirVersion.STU3], "/stu3")
        asked = terms.asked(Interaction(Kind.SEARCH, "Patient"), [("identifier", "M0003")])
        answer = await search(upstream, tenant, asked.resource_type, asked.parameters, {})
        sent = dict(server.requests[0].parameters)["identifier"]
    assert ids(answer) == ["p3"]
    assert sent == ("urn:mrn|M0003" if system == "epic" else "M0003")


async def test_a_system_that_the_app_names_is_kept(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(SYSTEMS["epic"]) as server:
        tenant = tenant_of(server, "epic", mrn_system="urn:other")
        terms = Dictionary("https://gateway.example/fhir").terms(tenant, FACES[FhirVersion.STU3], "/stu3")
        asked = terms.asked(Interaction(Kind.SEARCH, "Patient"), [("identifier", "urn:mrn|M0003")])
        answer = await search(upstream, tenant, asked.resource_type, asked.parameters, {})
    assert ids(answer) == ["p3"]
