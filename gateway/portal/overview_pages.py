import asyncio
from datetime import timedelta
from typing import Any

from gateway.errors import Invalid
from gateway.manage.checks import Unreachable
from gateway.portal.visits import Page, Visit
from gateway.registry import Page as RowPage
from gateway.registry import Tenant
from gateway.registry.models import now

_SHOWN = 200
_AT_ONCE = 10
_PATIENCE_SECONDS = 3
_SOON = timedelta(days=30)
_AUDIT_PAGE = 50


async def overview(visit: Visit) -> Page:
    tenant_page = await visit.operations.tenants.page(_SHOWN)
    client_page = await visit.operations.clients.page(_SHOWN)
    tenants, clients = tenant_page.items, client_page.items
    at = now()
    expiring = [
        (stored.value, secret)
        for stored in clients
        for secret in stored.value.secrets
        if secret.state(at) == "active" and secret.expires - at < _SOON
    ]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def health(tenant: Tenant) -> tuple[Tenant, str]:
        async with gate:
            return tenant, await _answers(visit, tenant)

    states = await asyncio.gather(*(health(stored.value) for stored in tenants if stored.value.enabled))
    counts = {"tenants": _count(tenant_page), "clients": _count(client_page)}
    return visit.show("overview.html", counts=counts, expiring=expiring, states=states)


def _count(page: RowPage[Any]) -> str:
    return f"{len(page.items)}+" if page.continuation else str(len(page.items))


async def _answers(visit: Visit, tenant: Tenant) -> str:
    """Empty when the tenant's server answers with its metadata, else why not."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await visit.operations.checks.version(tenant)
    except TimeoutError:
        return f"> {_PATIENCE_SECONDS} s"
    except Unreachable as error:
        return str(error)
    except Invalid as error:
        return error.public
    return ""


async def audit(visit: Visit) -> Page:
    page = await visit.operations.audit_page(_AUDIT_PAGE, visit.query.get("continuation", ""))
    entries = [entry.view() for entry in page.items]
    return visit.show("audit.html", entries=entries, continuation=page.continuation)


async def connect(visit: Visit) -> Page:
    return visit.show("connect.html", settings=visit.settings)
