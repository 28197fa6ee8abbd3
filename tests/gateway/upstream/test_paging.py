from dataclasses import replace

import pytest

from gateway.errors import BadRequest, TooCostly, UpstreamBroken
from gateway.registry import Tenant
from gateway.upstream import Upstream, gather
from gateway.upstream.paging import Continuation, resolve_link
from gateway.upstream.search import follow, search
from tests.gateway.upstream.conftest import TENANT_ID, MemorySecrets, TenantOf
from tests.upstreams.behaviour import SYSTEMS, Behaviour, Paging
from tests.upstreams.data import hospital
from tests.upstreams.faults import Status
from tests.upstreams.server import emulate

TENANT = Tenant(tenant_id=TENANT_ID, name="T", fhir_url="https://ehr.example.org/api/fhir", fhir_version="r4")


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://ehr.example.org/api/fhir/Patient?page=2", "https://ehr.example.org/api/fhir/Patient?page=2"),
        ("https://EHR.example.org:443/api/fhir?_getpages=x", "https://ehr.example.org/api/fhir?_getpages=x"),
        ("http://ehr.example.org/api/fhir?x=1", "https://ehr.example.org/api/fhir?x=1"),
        ("http://ehr.example.org:80/api/fhir?x=1", "https://ehr.example.org/api/fhir?x=1"),
        ("//ehr.example.org/other?x=1", "https://ehr.example.org/other?x=1"),
        ("/pages/7", "https://ehr.example.org/pages/7"),
        ("Patient?page=2", "https://ehr.example.org/api/fhir/Patient?page=2"),
        ("?page=2", "https://ehr.example.org/api/fhir/?page=2"),
        ("https://ehr.example.org/a?x=%2B%7C", "https://ehr.example.org/a?x=%2B%7C"),
    ],
)
def test_links_in_every_shape_are_resolved(link: str, url: str) -> None:
    assert str(resolve_link(TENANT, link)) == url


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/fhir?page=2",
        "https://ehr.example.org.evil.example/api/fhir",
        "https://ehr.example.org@evil.example/api/fhir",
        "https://user:word@ehr.example.org/api/fhir",
        "https://ehr.example.org:8443/api/fhir",
        "http://ehr.example.org:8080/api/fhir",
        "//evil.example/api/fhir",
        "ftp://ehr.example.org/api/fhir",
        "https://ehr.example.org:99999/",
        "javascript:alert(1)",
        "http://[::1",
    ],
)
def test_links_to_another_origin_are_refused(link: str) -> None:
    with pytest.raises(UpstreamBroken, match="another address"):
        resolve_link(TENANT, link)


def test_a_continuation_survives_its_link() -> None:
    made = Continuation("Observation", (("patient", "1&2"), ("x", "ü=#")), 40)
    assert Continuation.of(made.mark("https://e.org/f?a=1")) == ("https://e.org/f?a=1", made)
    assert Continuation.of("https://e.org/f?a=1") == ("https://e.org/f?a=1", None)
    with pytest.raises(BadRequest):
        Continuation.of("https://e.org/f#nonsense")


@pytest.mark.parametrize("paging", [each for each in Paging if each not in (Paging.FOREIGN, Paging.LOOP, Paging.NONE)])
@pytest.mark.parametrize("system", ["generic", "hapi"])
async def test_every_shape_of_next_link_is_followed(
    paging: Paging, system: str, upstream: Upstream, tenant_of: TenantOf
) -> None:
    behaviour = replace(SYSTEMS[system], paging=paging, page_size=4, max_page_size=4, repeats=False)
    async with emulate(behaviour, hospital("r4", patients=11, encounters=0)) as server:
        tenant = tenant_of(server, system)
        answer = await search(upstream, tenant, "Patient", [("_count", "4")], {})
        assert answer.resource["total"] == 11
        found = [entry["resource"].get("id") for entry in answer.resource["entry"]]
        while links := [link["url"] for link in answer.resource["link"] if link["relation"] == "next"]:
            answer = await follow(upstream, tenant, links[0], {})
            found += [entry["resource"].get("id") for entry in answer.resource["entry"]]
    assert [each for each in found if each] == [f"p{number}" for number in range(11)]


async def test_a_foreign_next_page_is_withheld_and_told(
    upstream: Upstream, tenant_of: TenantOf, secrets: MemorySecrets
) -> None:
    del secrets
    async with emulate(Behaviour(paging=Paging.FOREIGN, page_size=2)) as server:
        tenant = tenant_of(server, "hapi")
        answer = await search(upstream, tenant, "Observation", [("patient", "p1")], {})
        assert [link["relation"] for link in answer.resource["link"]] == ["self"]
        note = answer.resource["entry"][-1]
        assert note["search"]["mode"] == "outcome"
        assert "elsewhere" not in str(note)
        with pytest.raises(UpstreamBroken):
            await follow(upstream, tenant, "http://elsewhere.example/fhir/Observation?page=2", {})


@pytest.mark.parametrize("paging", [Paging.FOREIGN, Paging.LOOP, Paging.NONE])
async def test_an_order_that_cannot_be_told_is_not_claimed(
    paging: Paging, upstream: Upstream, tenant_of: TenantOf
) -> None:
    behaviour = Behaviour(sort=False, paging=paging, page_size=2, max_page_size=2)
    async with emulate(behaviour) as server:
        with pytest.raises(TooCostly, match="cannot sort"):
            await search(upstream, tenant_of(server), "Condition", [("patient", "p1"), ("_sort", "-recorded-date")], {})
        assert len(server.requests) <= 3  # a loop is noticed, not walked to the limit


async def test_an_uncounted_total_is_absent_and_told(
    upstream: Upstream, tenant_of: TenantOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "MAX_PAGES", 3)
    behaviour = Behaviour(total="estimate", page_size=2, max_page_size=2)
    async with emulate(behaviour, hospital("r4", patients=20, encounters=0)) as server:
        answer = await search(upstream, tenant_of(server), "Patient", [("_count", "2")], {})
        assert len(server.requests) == 3
    assert "total" not in answer.resource
    assert "more results" in answer.resource["entry"][-1]["resource"]["issue"][0]["diagnostics"]


async def test_a_page_that_fails_is_not_counted_over(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(Behaviour(total="absent", page_size=2, max_page_size=2)) as server:
        tenant = tenant_of(server)

        class FirstOnly:
            async def answer(self, request: object) -> object:
                return None if "page" not in getattr(request, "query", {}) else await Status(410).answer(request)  # type: ignore[arg-type]  # a web.Request

        server.always = FirstOnly()  # type: ignore[assignment]  # as faults go
        answer = await search(upstream, tenant, "Patient", [], {})
    assert "total" not in answer.resource


async def test_the_latest_of_many_encounters_takes_few_requests(upstream: Upstream, tenant_of: TenantOf) -> None:
    """Oldest first and a thousand of them: the newest are asked for by date, not paged to."""
    behaviour = replace(SYSTEMS["oracle"], max_page_size=20)
    async with emulate(behaviour, hospital("r4", patients=1, encounters=1000)) as server:
        asked = [("patient", "p0"), ("_sort", "-date"), ("_count", "1")]
        answer = await search(upstream, tenant_of(server, "oracle"), "Encounter", asked, {})
        assert answer.resource["entry"][0]["resource"]["id"] == "p0-e0"
        assert len(server.requests) == 2
        assert any(name == "date" for name, _ in server.requests[1].parameters)
    assert "total" not in answer.resource  # not all were seen


async def test_a_server_that_ignores_the_window_is_paged_to_the_end(upstream: Upstream, tenant_of: TenantOf) -> None:
    behaviour = replace(SYSTEMS["oracle"], ignored=frozenset({"date"}), max_page_size=20)
    async with emulate(behaviour, hospital("r4", patients=1, encounters=200)) as server:
        asked = [("patient", "p0"), ("_sort", "-date"), ("_count", "1")]
        answer = await search(upstream, tenant_of(server, "oracle"), "Encounter", asked, {})
    assert answer.resource["entry"][0]["resource"]["id"] == "p0-e0"
    assert answer.resource["total"] == 201


async def test_paging_backwards_in_time_reaches_every_encounter(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate(
        replace(SYSTEMS["oracle"], max_page_size=20), hospital("r4", patients=1, encounters=90)
    ) as server:
        tenant = tenant_of(server, "oracle")
        asked = [("patient", "p0"), ("_sort", "-date"), ("_count", "25")]
        answer = await search(upstream, tenant, "Encounter", asked, {})
        found = [entry["resource"]["id"] for entry in answer.resource["entry"]]
        while links := [link["url"] for link in answer.resource["link"] if link["relation"] == "next"]:
            answer = await follow(upstream, tenant, links[0], {})
            found += [entry["resource"]["id"] for entry in answer.resource["entry"]]
    assert found == [*(f"p0-e{index}" for index in range(90)), "p0-undated"]


async def test_a_server_that_has_more_than_it_gives_is_believed(upstream: Upstream, tenant_of: TenantOf) -> None:
    behaviour = Behaviour(paging=Paging.NONE, page_size=2, max_page_size=2)
    async with emulate(behaviour, hospital("r4", patients=9, encounters=0)) as server:
        answer = await search(upstream, tenant_of(server), "Patient", [("_count", "2")], {})
    assert answer.resource["total"] == 9
    assert len(answer.resource["entry"]) == 2
