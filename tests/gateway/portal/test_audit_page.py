import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from gateway.audit import By, Change
from gateway.service import Service
from tests.gateway.portal.browser import Browser
from tests.gateway.portal.forms import TENANT

OTHER = "99999999-2222-4333-8444-555555555555"


async def record(service: Service, actor: str, action: str, tenant_id: str, name: str) -> None:
    await service.operations.trail.append(By(actor, "api", "c0ffee"), Change(action, tenant_id, after={"name": name}))


def actions(body: bytes) -> list[str]:
    return [found.decode() for found in re.findall(rb"<td><code>([a-z.]+)</code>", body)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["tenant.remove", "tenant.update", "tenant.create"]),
        ("who=KIM", ["tenant.update", "tenant.create"]),
        ("action=create", ["tenant.create"]),
        (f"object={OTHER}", ["tenant.remove"]),
        ("object=north", ["tenant.update", "tenant.create"]),
        ("who=kim&action=update", ["tenant.update"]),
        ("who=nobody", []),
    ],
)
async def test_filters_by_who_what_and_object(
    admin: Browser, service: Service, query: str, expected: list[str]
) -> None:
    await record(service, "kim", "tenant.create", TENANT, "North Clinic")
    await record(service, "kim", "tenant.update", TENANT, "North Clinic")
    await record(service, "lee", "tenant.remove", OTHER, "East Wing")
    assert actions((await admin.get("audit", query)).body) == expected


async def test_filters_by_days_of_which_both_are_included(admin: Browser, service: Service) -> None:
    await record(service, "kim", "tenant.create", TENANT, "North Clinic")
    today = datetime.now(UTC).date()
    before, after = today - timedelta(days=1), today + timedelta(days=1)
    for query, count in (
        (f"from={today}&to={after}", 1),
        (f"from={before}&to={today}", 1),
        (f"from={after}", 0),
        (f"to={before}", 0),
    ):
        assert len(actions((await admin.get("audit", query)).body)) == count, query


async def test_a_date_that_is_none_is_marked(admin: Browser) -> None:
    page = await admin.get("audit", "from=yesterday")
    assert page.status == 422
    assert b"from must be a date such as 2026-06-30." in page.body
    assert b'value="yesterday" aria-invalid="true"' in page.body


async def test_pages_go_on_under_the_same_filter(
    admin: Browser, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.portal.audit_pages._PAGE", 2)
    monkeypatch.setattr("gateway.portal.audit_pages._ROWS", 2)
    for number in range(6):
        await record(service, "kim" if number % 2 else "lee", "tenant.update", TENANT, str(number))
    seen = []
    query: str | None = "who=kim"
    while query is not None:
        body = (await admin.get("audit", query)).body
        seen += re.findall(rb"<td>(\d) <code>", body)
        link = re.search(rb'href="/portal/audit\?(who=kim&amp;[^"]+)"', body)
        query = unescape(link[1].decode()) if link else None
    assert seen == [b"5", b"3", b"1"]
