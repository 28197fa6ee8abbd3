"""Forms that several tests send."""

import re

from gateway.portal import Page
from tests.gateway.portal.browser import Browser

TENANT = "11111111-2222-4333-8444-555555555555"


async def take_on(browser: Browser, fhir_url: str, **more: str) -> Page:
    fields = {"tenant_id": TENANT, "name": "North Clinic", "fhir_url": fhir_url, "fhir_version": "auto"}
    return await browser.post("tenants/new", **fields | {"auth.kind": "none", "step": "save"} | more)


async def create_client(browser: Browser, name: str = "App") -> tuple[str, Page]:
    """A client for every hospital: its id, and the page that shows its secret."""
    answer = await browser.post("clients/new", name=name, access="all")
    return answer.headers["Location"].rpartition("/")[2], await browser.follow(answer)


def etag_of(page: Page) -> str:
    found = re.search(rb'name="etag" value="([^"]+)"', page.body)
    assert found
    return found[1].decode().replace("&#34;", '"')
