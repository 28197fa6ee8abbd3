from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import test_utils, web

from gateway.manage.operators import READER, Operator
from gateway.portal import Portal
from gateway.portal.local_link import issue_link
from gateway.portal.sessions import Seal, Session
from gateway.service import Service
from gateway.settings import Settings
from tests.gateway.portal.browser import Browser, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fhir_url() -> AsyncIterator[str]:
    """A FHIR server of version STU3 that says so."""

    async def metadata(_request: web.Request) -> web.Response:
        statement = {"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}
        return web.Response(body=orjson.dumps(statement), content_type="application/fhir+json")

    app = web.Application()
    app.router.add_get("/fhir/metadata", metadata)
    async with test_utils.TestServer(app) as server:
        yield str(server.make_url("/fhir"))


@pytest.fixture
async def service(tables_connection: str, tmp_path: Path) -> AsyncIterator[Service]:
    settings = Settings.model_validate(
        {
            "public_base_url": "http://localhost:7071",
            "tables_connection": tables_connection,
            "local_keys_dir": tmp_path / "keys",
            "allow_private_upstreams": True,
        }
    )
    service = Service(settings)
    await service.registry.ensure_tables()
    await service.keys.ensure()
    yield service
    await service.close()


@pytest.fixture
def portal(service: Service, clock: Clock) -> Portal:
    return Portal(service.settings, service.operations, service.secrets, service.keys.pepper, clock)


@pytest.fixture
async def admin(portal: Portal, service: Service) -> Browser:
    """Signed in by the one-time link."""
    browser = Browser(portal)
    link = await issue_link(service.secrets, service.settings.base_url)
    page = await browser.get("sign-in/link", link.partition("?")[2])
    assert (page.status, page.headers["Location"]) == (303, "/portal/")
    await browser.get("")
    return browser


async def signed_in(portal: Portal, service: Service, clock: Clock, *roles: str) -> Browser:
    seal = Seal(await service.keys.pepper(), clock)
    session = Session.begin(Operator("somebody", frozenset(roles)), clock())
    browser = Browser(portal, {"portal-session": seal.close(session)})
    await browser.get("")
    return browser


@pytest.fixture
async def reader(portal: Portal, service: Service, clock: Clock) -> Browser:
    return await signed_in(portal, service, clock, READER)


@pytest.fixture
async def nobody(portal: Portal, service: Service, clock: Clock) -> Browser:
    """Signed in without a role."""
    return await signed_in(portal, service, clock)
