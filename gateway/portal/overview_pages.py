import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.errors import Invalid
from gateway.exchange import HOPS
from gateway.manage.checks import Unreachable
from gateway.portal import traffic_picture
from gateway.portal.visits import Page, Visit
from gateway.registry import Client, Tenant
from gateway.registry import Page as RowPage
from gateway.registry.models import ClientSecret, now

_SHOWN = 200
_CLIENT_PAGES = 5
_AT_ONCE = 40
_PATIENCE_SECONDS = 3
_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Health:
    """`problem` is empty when the server answers with its metadata; `changed` the version that it states when that is
    not the registered one.
    """

    tenant: Tenant
    problem: str = ""
    changed: str = ""
    milliseconds: float = 0.0


async def overview(visit: Visit) -> Page:
    tenants, (clients, client_count) = await asyncio.gather(visit.operations.tenants.page(_SHOWN), _clients(visit))
    at = now()
    expiring = sorted(
        (
            (client, secret)
            for client in clients
            for secret in client.secrets
            if secret.state(at) == "active" and secret.expires - at < _SOON
        ),
        key=lambda pair: pair[1].expires,
    )
    gate = asyncio.Semaphore(_AT_ONCE)

    async def health(tenant: Tenant) -> Health:
        async with gate:
            return await _health(visit, tenant)

    states = await asyncio.gather(*(health(stored.value) for stored in tenants.items if stored.value.enabled))
    minutes = visit.operations.traffic.last_hour()
    return visit.show(
        "overview.html",
        counts={"tenants": _count(tenants), "clients": client_count},
        expiring=[(client, secret, _days(secret, at), _followed(client, secret, at)) for client, secret in expiring],
        states=sorted(states, key=lambda state: (not state.problem, state.tenant.name.lower())),
        failing=sum(bool(state.problem) for state in states),
        requests=traffic_picture.requests(minutes),
        times=traffic_picture.hops(minutes),
        total=sum(minute.requests for minute in minutes),
        failed=sum(minute.failures for minute in minutes),
        busy=[(_clock(minute.number), minute) for minute in reversed(minutes) if minute.requests],
        hops=HOPS,
        size=(traffic_picture.WIDTH, traffic_picture.HEIGHT),
    )


async def _clients(visit: Visit) -> tuple[list[Client], str]:
    found: list[Client] = []
    continuation = ""
    for _ in range(_CLIENT_PAGES):
        page = await visit.operations.clients.page(_SHOWN, continuation)
        found += [stored.value for stored in page.items]
        continuation = page.continuation
        if not continuation:
            break
    return found, f"{len(found)}+" if continuation else str(len(found))


def _count(page: RowPage[Any]) -> str:
    return f"{len(page.items)}+" if page.continuation else str(len(page.items))


def _days(secret: ClientSecret, at: datetime) -> int:
    return (secret.expires - at).days


def _followed(client: Client, secret: ClientSecret, at: datetime) -> bool:
    """Whether the client has an active secret that lasts beyond the time in which secrets are told of here."""
    return any(
        other.state(at) == "active" and other.expires - at >= _SOON for other in client.secrets if other != secret
    )


def _clock(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%H:%M")


async def _health(visit: Visit, tenant: Tenant) -> Health:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            stated = await visit.operations.checks.version(tenant)
    except TimeoutError:
        return Health(tenant, f"> {_PATIENCE_SECONDS} s")
    except Unreachable as error:
        return Health(tenant, str(error))
    except Invalid as error:
        return Health(tenant, error.public)
    changed = "" if stated is tenant.fhir_version else stated.value
    return Health(tenant, changed=changed, milliseconds=(time.perf_counter() - began) * 1000)
