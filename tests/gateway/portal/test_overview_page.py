import re
from datetime import timedelta

from gateway.registry.models import now
from gateway.service import Service
from tests.gateway.portal.browser import Browser
from tests.gateway.portal.forms import create_client, take_on


async def test_the_overview_shows_every_server_and_the_time_it_took(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    await take_on(admin, "http://127.0.0.1:9/fhir", tenant_id="22222222-2222-4333-8444-555555555555", fhir_version="r4")
    page = await admin.get("")
    assert b"<b>1 / 2</b>" in page.body
    assert b"Does not answer" in page.body
    assert re.search(rb"<td class=\"number\">\d+ ms</td>", page.body)


async def test_a_server_that_changed_its_version_is_pointed_out(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url, fhir_version="r4")
    assert re.search("r4 → stu3", (await admin.get("")).body.decode())


async def test_the_last_hour_is_drawn_and_told(admin: Browser, service: Service) -> None:
    for status in (200, 200, 502):
        service.operations.traffic.record(status, {"auth": 0.001, "upstream": 0.03})
    page = await admin.get("")
    assert b"3 FHIR requests, 1 of them failed." in page.body
    assert page.body.count(b'<rect class="k-answered" x=') == 1
    assert page.body.count(b'<rect class="k-failed" x=') == 1
    assert b'<td class="number">30.0</td>' in page.body


async def test_secrets_that_end_soon_are_listed_with_whether_another_follows(admin: Browser, service: Service) -> None:
    client_id, _ = await create_client(admin)
    assert b"None." in (await admin.get("")).body
    soon = (now() + timedelta(days=9, hours=12)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await admin.post(f"clients/{client_id}/secrets", expires=soon)
    assert b"A newer one is there" in (await admin.get("")).body
    stored = await service.registry.find_client(client_id)
    assert stored
    await admin.post(f"clients/{client_id}/revoke", secret_id=stored.value.secrets[0].secret_id)
    page = await admin.get("")
    assert b"(9 days left)" in page.body
    assert b"Add a new one" in page.body
