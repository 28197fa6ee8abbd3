from collections.abc import Callable
from datetime import datetime

from gateway.audit import AuditTrail, Entry
from gateway.audit.verify import Report, verify
from gateway.conformance.tenant_checks import CheckReport, TenantChecks
from gateway.manage.checks import Asks, Checks
from gateway.manage.clients import Clients
from gateway.manage.keys import SigningKeys
from gateway.manage.tenants import Tenants
from gateway.registry import Page, Registry, Uses
from gateway.secrets import SecretStore
from gateway.settings import Settings
from gateway.tokens import Keys


class Operations:
    """Everything an operator can do. `changed` is told the id of each tenant and client that was changed here."""

    def __init__(  # noqa: PLR0913  # its parts
        self,
        settings: Settings,
        registry: Registry,
        secrets: SecretStore,
        keys: Keys,
        upstream: Asks,
        *,
        changed: Callable[[str], None] = lambda _id: None,
        conformance: TenantChecks | None = None,
    ) -> None:
        self._registry = registry
        self._conformance = conformance
        self._keys = keys
        self.uses = Uses(registry.storage)
        self.trail = AuditTrail(registry.storage, keys.pepper)
        self.checks = Checks(settings, secrets, upstream)
        self.tenants = Tenants(registry, self.trail, self.checks, changed)
        self.clients = Clients(registry, self.uses, self.trail, keys.pepper, self.checks, changed)
        self.keys = SigningKeys(settings, secrets, self.trail)

    async def check(self, tenant_id: str) -> CheckReport:
        """Whether the app works with the tenant's server. Raises Unknown, UpstreamTimeout, StorageUnavailable."""
        stored = await self.tenants.find(tenant_id)
        if self._conformance is None:
            raise RuntimeError("these operations were made without the FHIR endpoint")
        return await self._conformance.run(stored.value)

    async def audit_page(
        self,
        size: int,
        continuation: str = "",
        *,
        tenant_id: str = "",
        client_id: str = "",
        since: datetime | None = None,
    ) -> Page[Entry]:
        """At most `size` audit entries, the newest first. Raises Invalid, StorageUnavailable."""
        return await self.trail.page(size, continuation, tenant_id=tenant_id, client_id=client_id, since=since)

    async def verify_audit(self, anchor: tuple[int, str] | None = None) -> Report:
        """Raises StorageUnavailable."""
        return await verify(self.trail, self._registry, await self._keys.pepper(), anchor=anchor)
