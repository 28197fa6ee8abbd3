"""What tenants share in one process, one part at a time: page addresses, caches, connections."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import permutations
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from gateway.fhir.paging import PARAMETER
from gateway.registry import Tenant
from gateway.secrets import open_secret_store
from gateway.settings import Settings
from gateway.upstream import Credentials
from gateway.upstream.session import open_session
from gateway.versions import FhirVersion
from tests.isolation.hospitals import PATIENT
from tests.isolation.world import Token, World, open_world


@pytest.fixture(scope="module")
def place(
    azurite_accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, asyncio.Runner]]:
    with open_world(next(azurite_accounts), tmp_path_factory.mktemp("keys")) as opened:
        yield opened


async def token_for(world: World, number: int) -> Token:
    app, hospital = world.apps["all"], world.hospitals[number]
    status, text = await world.grant(app, hospital.tenant_id)
    assert status == 200
    return Token(text, app, hospital)


@pytest.mark.parametrize("face", ["dstu2", "stu3", "r4"])
@pytest.mark.parametrize("which", ["sealed", "stored"])
def test_a_page_address_serves_its_own_tenant_only(place: tuple[World, asyncio.Runner], face: str, which: str) -> None:
    world, runner = place

    async def follow() -> None:
        tokens = [await token_for(world, number) for number in range(3)]
        for owner, other in permutations(tokens, 2):
            first = (await world.ask(owner, f"/fhir/{face}/Encounter")).links
            # The second page's link is as long as those of some servers, and so kept in Table Storage.
            (link,) = first if which == "sealed" else (await world.ask(owner, first[0])).links
            assert (f"{PARAMETER}=s." in link) == (which == "stored")
            assert (await world.ask(owner, link)).status == 200
            refused = await world.ask(other, link)
            assert (refused.status, refused.json["resourceType"]) == (400, "OperationOutcome")
            entry = (await world.batch(other, f"/{face}", [link, f"Patient/{PATIENT}"])).json["entry"]
            assert [one["response"]["status"][:3] for one in entry] == ["400", "200"]

    runner.run(follow())


def test_a_page_address_serves_its_own_face_and_type_only(place: tuple[World, asyncio.Runner]) -> None:
    world, runner = place

    async def follow() -> None:
        token = await token_for(world, 0)
        (link,) = (await world.ask(token, "/fhir/r4/Encounter")).links
        for bent in (link.replace("/r4/", "/stu3/"), link.replace("/Encounter?", "/Practitioner?")):
            assert bent != link
            assert (await world.ask(token, bent)).status == 400

    runner.run(follow())


def test_equal_requests_at_one_moment_to_one_address_go_out_with_each_tenants_own_credential(
    place: tuple[World, asyncio.Runner],
) -> None:
    world, runner = place

    async def ask() -> None:
        tokens = [await token_for(world, number) for number in range(2)]
        served = [hospital.served for hospital in world.hospitals]
        answers = await asyncio.gather(
            *(world.ask(token, f"/fhir/r4/Patient/{PATIENT}") for _ in range(20) for token in tokens)
        )
        assert {answer.status for answer in answers} == {200}
        # None is answered with what another asked for: neither by a cache, nor by a call that they would share.
        assert [hospital.served - before for hospital, before in zip(world.hospitals, served, strict=True)] == [
            20,
            20,
            0,
        ]

    runner.run(ask())


def test_equal_token_requests_get_a_token_of_their_own_tenant_and_client(
    place: tuple[World, asyncio.Runner],
) -> None:
    world, runner = place

    async def draw() -> list[str]:
        asked = [(name, number) for name in ("all", "b-and-c") for number in (1, 2)]
        drawn = await asyncio.gather(
            *(world.grant(world.apps[name], world.hospitals[number].tenant_id) for name, number in asked * 2)
        )
        return [text for status, text in drawn if status == 200]

    drawn = runner.run(draw())
    # The second time round, within seconds, may bring the same token; never another's.
    assert (len(drawn), len(set(drawn[:4]))) == (8, 4)
    assert all(drawn[index] not in drawn[:4] or drawn[index] == drawn[index - 4] for index in range(4, 8))


def test_a_hospitals_trouble_is_not_that_of_another_one_at_its_address(place: tuple[World, asyncio.Runner]) -> None:
    world, runner = place
    lanes = world.service.fhir._upstream._lanes

    async def rows() -> list[Tenant]:
        found = [await world.service.registry.find_tenant(hospital.tenant_id) for hospital in world.hospitals[:2]]
        return [one.value for one in found if one is not None]

    a, b = runner.run(rows())
    assert a.fhir_url == b.fhir_url
    assert lanes.of(a) is not lanes.of(b)


def test_no_cookie_is_ever_kept(place: tuple[World, asyncio.Runner]) -> None:
    world, runner = place

    async def ask() -> None:
        token = await token_for(world, 0)
        for _ in range(2):  # every answer of these hospitals sets one
            await world.ask(token, f"/fhir/r4/Patient/{PATIENT}", {"cookie": "session=from-the-caller"})

    runner.run(ask())
    assert world.ward.cookies == []
    assert isinstance(world.service._session.cookie_jar, aiohttp.DummyCookieJar)


@pytest_asyncio.fixture
async def token_endpoint() -> AsyncIterator[str]:
    """Grants each caller the token that its secret spells."""

    async def grant(request: web.Request) -> web.Response:
        secret = str((await request.post())["client_secret"])
        await asyncio.sleep(0.01)
        return web.json_response({"access_token": f"token-of-{secret}", "expires_in": 300})

    application = web.Application()
    application.router.add_post("/token", grant)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    finally:
        await runner.cleanup()


async def test_an_upstream_token_is_its_tenants_own(token_endpoint: str, tmp_path: Path) -> None:
    """Two tenants of one server, with one client id there, whose requests meet: neither gets the other's token."""
    settings = Settings.model_validate(
        {
            "public_base_url": "https://gateway.example",
            "tables_connection": "none",
            "local_keys_dir": tmp_path,
            "allow_private_upstreams": True,
        }
    )
    secrets = open_secret_store(settings)
    tenants: list[Tenant] = []
    for name in ("one", "two"):
        await secrets.set(name, f"secret-{name}")
        auth = {"kind": "client-secret-post", "client_id": "gateway", "secret": name, "token_url": token_endpoint}
        row = {"name": name, "fhir_url": "https://fhir.example/r4", "fhir_version": FhirVersion.R4, "auth": auth}
        tenant_id = f"00000000-0000-4000-8000-00000000000{len(tenants)}"
        tenants.append(Tenant.model_validate({"tenant_id": tenant_id, **row}))
    async with open_session(settings) as session:
        credentials = Credentials(secrets, session, settings)
        for _ in range(2):
            sent = await asyncio.gather(*(credentials.headers(tenant) for tenant in tenants * 5))
            assert [each["Authorization"] for each in sent] == [
                f"Bearer token-of-secret-{tenant.name}" for tenant in tenants * 5
            ]
    await secrets.close()
