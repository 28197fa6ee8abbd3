from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp import test_utils, web

from gateway.manage.operators import READER, Operator
from gateway.portal import Portal
from gateway.portal.local_link import issue_link
from gateway.portal.sessions import Seal, Session
from gateway.registry.expiring import ExpiringRows
from gateway.registry.store import SIGN_INS
from gateway.service import Service
from gateway.settings import Settings
from tests.gateway.portal.browser import Browser, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fhir_url() -> AsyncIterator[str]:
    """A FHIR server of version STU3, with HAPI's names; below `/locked` the same for who sends `X-Key: open-sesame`,
    below `/routed` for who sends `Redox-Source-Id` and `ah-practice`.
    """

    async def metadata(request: web.Request) -> web.Response:
        software = {"name": "HAPI FHIR Server", "version": "7.4.0"}
        return _fhir(request, {"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2", "software": software})

    async def patients(request: web.Request) -> web.Response:
        return _fhir(request, {"resourceType": "Bundle", "type": "searchset", "entry": []})

    app = web.Application()
    for base in ("/fhir", "/locked", "/routed"):
        app.router.add_get(f"{base}/metadata", metadata)
        app.router.add_get(f"{base}/Patient", patients)
    async with test_utils.TestServer(app) as server:
        yield str(server.make_url("/fhir"))


def _fhir(request: web.Request, resource: dict[str, object]) -> web.Response:
    if request.path.startswith("/locked") and request.headers.get("X-Key") != "open-sesame":
        return web.Response(status=401)
    if request.path.startswith("/routed") and not (
        "Redox-Source-Id" in request.headers and "ah-practice" in request.query
    ):
        return web.Response(status=403)
    return web.Response(body=orjson.dumps(resource), content_type="application/fhir+json")


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
    rows = ExpiringRows(service.registry.storage.table(SIGN_INS))
    return Portal(service.settings, service.operations, service.secrets, service.keys.pepper, rows, None, clock)


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
