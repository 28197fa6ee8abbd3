from collections.abc import Callable

from gateway.audit import AuditTrail
from gateway.audit.verify import Report, verify
from gateway.manage.checks import Asks, Checks
from gateway.manage.clients import Clients
from gateway.manage.conformance import CheckFiles, CheckReport, TenantChecks
from gateway.manage.hospital_secrets import HospitalSecrets
from gateway.manage.keys import SigningKeys
from gateway.manage.tenants import Tenants
from gateway.manage.trials import Trials
from gateway.registry import Registry, Uses
from gateway.registry.store import TURNS
from gateway.registry.turns import Turns
from gateway.secrets import SecretStore
from gateway.settings import Settings
from gateway.tokens import Keys
from gateway.traffic import Traffic


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
        traffic: Traffic | None = None,
    ) -> None:
        self._registry = registry
        self._conformance = conformance
        self._keys = keys
        self.traffic = traffic or Traffic()
        self.uses = Uses(registry.storage)
        self.trail = AuditTrail(registry.storage, keys.pepper)
        self.checks = Checks(settings, secrets, upstream)
        self.trials = Trials(self.checks, upstream)
        self.hospital_secrets = HospitalSecrets(secrets, self.trail)
        self.tenants = Tenants(registry, self.trail, self.checks, changed)
        self.clients = Clients(registry, self.uses, self.trail, keys.pepper, self.checks, changed)
        self.keys = SigningKeys(settings, secrets, self.trail, Turns(registry.storage.table(TURNS)))

    async def check(self, tenant_id: str) -> CheckReport:
        """Whether the app works with the tenant's server. Raises Unknown, UpstreamTimeout, StorageUnavailable."""
        return await self._checker().run((await self.tenants.find(tenant_id)).value)

    async def check_files(self, tenant_id: str) -> CheckFiles:
        """The same report, and as one HTML file. Raises as `check` does."""
        return await self._checker().run_to_files((await self.tenants.find(tenant_id)).value)

    def last_check(self, tenant_id: str) -> CheckFiles | None:
        """What `check_files` of this instance found last, while it remembers it."""
        return self._checker().last(tenant_id)

    def _checker(self) -> TenantChecks:
        if self._conformance is None:
            raise RuntimeError("these operations were made without the FHIR endpoint")
        return self._conformance

    async def verify_audit(self, anchor: tuple[int, str] | None = None) -> Report:
        """Raises StorageUnavailable."""
        return await verify(self.trail, self._registry, await self._keys.pepper(), anchor=anchor)
