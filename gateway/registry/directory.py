from gateway.registry.cache import Cache, Source
from gateway.registry.expiry import Expiring
from gateway.registry.models import Client, Tenant
from gateway.registry.store import Registry
from gateway.settings import Settings

SIZE = 10_000
"""Tenants, and clients, that are remembered; docs/adr/0004 says what that takes in memory."""


class Directory:
    """Tenants and clients for the hot path: a warm lookup costs no I/O.

    A change in the registry is seen within `CACHE_TTL_SECONDS`; while storage fails, what was read last serves for
    `CACHE_STALE_SECONDS` more. Unknown ids are remembered as unknown just as long.
    """

    def __init__(self, registry: Registry, settings: Settings) -> None:
        async def tenant(tenant_id: str) -> Tenant | None:
            found = await registry.find_tenant(tenant_id)
            return found.value if found else None

        async def client(client_id: str) -> Client | None:
            found = await registry.find_client(client_id)
            if found is None:
                return None
            self._expiring.look(found.value)
            return found.value

        ttl, stale = settings.cache_ttl_seconds, settings.cache_stale_seconds
        self._tenants: Cache[Tenant | None] = Cache(
            tenant, ttl=ttl, stale=stale, size=SIZE, source=Source("tenants", "table")
        )
        self._clients: Cache[Client | None] = Cache(
            client, ttl=ttl, stale=stale, size=SIZE, source=Source("clients", "table")
        )
        self._expiring = Expiring()

    @property
    def caches(self) -> tuple[Cache[Tenant | None], Cache[Client | None]]:
        return self._tenants, self._clients

    async def tenant(self, tenant_id: str) -> Tenant | None:
        """The tenant of that GUID (lower case), disabled ones included. Raises StorageUnavailable."""
        hit = self._tenants.fresh(tenant_id)
        return hit[0] if hit is not None else await self._tenants.get(tenant_id)

    async def client(self, client_id: str) -> Client | None:
        """The client of that GUID (lower case), disabled ones included. Raises StorageUnavailable."""
        hit = self._clients.fresh(client_id)
        return hit[0] if hit is not None else await self._clients.get(client_id)

    def forget(self, subject_id: str) -> None:
        """Read the tenant or client of that GUID anew: it was changed in this very process."""
        self._tenants.forget(subject_id)
        self._clients.forget(subject_id)
