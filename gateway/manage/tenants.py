from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.audit import AuditTrail, By
from gateway.errors import Duplicate, Invalid, Stale, Unknown
from gateway.manage.changes import require_match, tenant_change
from gateway.manage.checks import Checks, Unreachable
from gateway.manage.documents import TenantNew, TenantPatch, TenantView, validated
from gateway.registry import Page, Registry, Stored, Tenant
from gateway.registry.models import now
from gateway.versions import FhirVersion

_TRIES = 5
_AUTO = "auto"
_NO_WARNINGS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made[T]:
    """What a change left. `created` is false when a create found the very same thing there already."""

    stored: Stored[T]
    created: bool = False
    warnings: tuple[str, ...] = ()


class Tenants:
    """Every method raises StorageUnavailable when Table Storage or the secret store does not answer."""

    def __init__(self, registry: Registry, trail: AuditTrail, checks: Checks, changed: Callable[[str], None]) -> None:
        self._registry = registry
        self._trail = trail
        self._checks = checks
        self._changed = changed

    async def page(self, size: int, continuation: str = "") -> Page[Stored[Tenant]]:
        """At most `size` tenants in the order of their ids. Raises Invalid for a continuation that is none."""
        return await self._registry.tenant_page(size, continuation)

    async def find(self, tenant_id: str) -> Stored[Tenant]:
        """Raises Unknown."""
        found = await self._registry.find_tenant(tenant_id)
        if found is None:
            raise Unknown("There is no tenant of that id.", field="tenant_id")
        return found

    async def create(self, by: By, new: TenantNew) -> Made[Tenant]:
        """Make a tenant; asking for the same once more changes nothing. With a stated version a server that cannot be
        reached is a warning, with `auto` it is an error.

        Raises Invalid, which names the field, and Duplicate when the id is another tenant's.
        """
        if (existing := await self._same(new)) is not None:
            return Made(existing)
        tenant, warnings = await self._checked(new)
        return await self.add(by, tenant, warnings)

    async def add(self, by: By, tenant: Tenant, warnings: tuple[str, ...] = ()) -> Made[Tenant]:
        """Make a tenant that was checked already. Raises Duplicate."""
        async with self._trail.recorded(by, tenant_change("tenant.create", None, tenant)):
            stored = await self._registry.add_tenant(tenant)
        self._changed(tenant.tenant_id)
        return Made(stored, created=True, warnings=warnings)

    async def update(self, by: By, tenant_id: str, patch: object, if_match: str | None = None) -> Made[Tenant]:
        """Change the fields that `patch` names (RFC 7396; `auth` as a whole). Without `if_match` the newest row is
        changed, whatever it is.

        Raises Unknown, Stale, and Invalid, which names the field.
        """
        changes = validated(TenantPatch, patch).model_dump(mode="json", exclude_unset=True)
        for _ in range(_TRIES):
            found = await self.find(tenant_id)
            require_match(found, if_match, "tenant")
            wanted = validated(TenantNew, _as_new(found.value) | changes)
            if changes.keys() <= {"enabled", "notes", "name"}:
                # Nothing that the world could object to: a broken tenant can be disabled.
                tenant, warnings = _tenant(wanted, found.value.fhir_version), _NO_WARNINGS
            else:
                tenant, warnings = await self._checked(wanted)
            tenant = tenant.model_copy(update={"created": found.value.created})
            if tenant.model_copy(update={"updated": found.value.updated}) == found.value:
                return Made(found, warnings=warnings)
            try:
                return await self.replace(by, found, tenant, warnings)
            except Stale:
                continue  # changed in between; what `if_match` names no longer matches then, and is refused above
        raise Stale("The tenant is being changed by others; try again.")

    async def replace(
        self, by: By, found: Stored[Tenant], tenant: Tenant, warnings: tuple[str, ...] = ()
    ) -> Made[Tenant]:
        """Replace a row by a tenant that was checked already. Raises Stale, Unknown."""
        async with self._trail.recorded(by, tenant_change("tenant.update", found.value, tenant)):
            stored = await self._registry.update_tenant(tenant, found.etag)
        self._changed(tenant.tenant_id)
        return Made(stored, warnings=warnings)

    async def remove(self, by: By, tenant_id: str, if_match: str | None = None) -> None:
        """Raises Unknown, Stale."""
        found = await self.find(tenant_id)
        require_match(found, if_match, "tenant")
        async with self._trail.recorded(by, tenant_change("tenant.remove", found.value, None)):
            await self._registry.remove_tenant(tenant_id, found.etag)
        self._changed(tenant_id)

    async def candidate(self, new: TenantNew) -> Tenant:
        """The tenant to be, before anything is asked of its server; a version of `auto` stands as R4 meanwhile.

        Raises Duplicate when the id is a tenant's already.
        """
        if (await self._registry.find_tenant(new.tenant_id)) is not None:
            raise Duplicate("A tenant of this id exists already; open that one to change it.", field="tenant_id")
        return self.changed_candidate(new)

    def changed_candidate(self, new: TenantNew) -> Tenant:
        """As `candidate`, of a tenant that exists."""
        return _tenant(new, FhirVersion.R4 if new.fhir_version == _AUTO else FhirVersion(new.fhir_version))

    async def prepared(self, new: TenantNew) -> Tenant:
        """The tenant to be, for one of many: its server is only contacted when its version must be detected.

        Raises Invalid, which names the field.
        """
        if new.fhir_version == _AUTO:
            return (await self._checked(new))[0]
        tenant = _tenant(new, FhirVersion(new.fhir_version))
        await self._checks.inputs(tenant)
        return tenant

    async def _same(self, new: TenantNew) -> Stored[Tenant] | None:
        existing = await self._registry.find_tenant(new.tenant_id)
        if existing is None:
            return None
        if not same_tenant(existing.value, new):
            raise Duplicate(
                "A tenant of this id exists already, with other values; update it instead.", field="tenant_id"
            )
        return existing

    async def _checked(self, new: TenantNew) -> tuple[Tenant, tuple[str, ...]]:
        stated = None if new.fhir_version == _AUTO else FhirVersion(new.fhir_version)
        tenant = _tenant(new, stated or FhirVersion.R4)
        await self._checks.inputs(tenant)
        try:
            found = await self._checks.version(tenant)
        except Unreachable as error:
            if stated is None:
                raise Invalid(
                    f"fhir_version cannot be detected: {error} State the version, or try again later.",
                    field="fhir_version",
                ) from None
            return tenant, (f"The FHIR server could not be asked for its version: {error}",)
        except Invalid as error:
            if stated is None:
                raise
            return tenant, (error.public,)
        if stated is None:
            return tenant.model_copy(update={"fhir_version": found}), ()
        if found is not stated:
            return tenant, (f"The FHIR server says that it speaks {found}, not {stated}.",)
        return tenant, ()


def same_tenant(tenant: Tenant, new: TenantNew) -> bool:
    """Whether making `new` would leave the tenant as it is; `auto` fits every version."""
    return new == validated(TenantNew, _as_new(tenant) | ({"fhir_version": _AUTO} if new.fhir_version == _AUTO else {}))


def tenant_view(made: Made[Tenant]) -> TenantView:
    return TenantView.model_validate(made.stored.value.model_dump() | {"warnings": made.warnings})


def _tenant(new: TenantNew, version: FhirVersion) -> Tenant:
    at = now()
    return Tenant.model_validate(new.model_dump() | {"fhir_version": version, "created": at, "updated": at})


def _as_new(tenant: Tenant) -> dict[str, Any]:
    return tenant.model_dump(mode="json", exclude={"created", "updated"})
