from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.audit import AuditTrail, By
from gateway.errors import StorageUnavailable
from gateway.manage.changes import client_change, tenant_change
from gateway.manage.operators import issue_operator_token
from gateway.portal.local_link import issue_link
from gateway.registry import Client, Registry, Tenant
from gateway.registry.models import ClientSecretAuth, HeaderAuth, NoAuth, UpstreamAuth
from gateway.registry.secret_values import Pepper
from gateway.registry.store import new_secret
from gateway.secrets import SecretStore, SecretsUnavailable, open_secret_store
from gateway.settings import Settings
from gateway.tokens import Keys
from gateway.versions import FhirVersion
from local.failure import LocalFailure
from local.sandbox.hospitals import ApiKeyAccess, Hospital, OAuthAccess, OpenAccess
from local.stack_file import DemoClient, DemoTenant, remember_client, remembered_client

CLIENT_NAME = "Patients app (demo)"
SECRET_LIFETIME = timedelta(days=180)
_SETUP = By("make up", "setup", "make-up")


@dataclass(frozen=True)
class UpstreamHospital:
    """A sandbox hospital that runs; `root` is its URL without a path."""

    hospital: Hospital
    root: str

    @property
    def fhir_url(self) -> str:
        """The base URL of its FHIR server."""
        return f"{self.root}{self.hospital.base_path}"


async def seed(
    settings: Settings, state: Path, hospitals: Sequence[UpstreamHospital]
) -> tuple[DemoClient, tuple[DemoTenant, ...]]:
    """Register the hospitals as tenants, and one client that may use them all.

    Safe to repeat: tenants are brought up to date, the client and its secret of an earlier start are kept as
    long as they still work. Raises LocalFailure when storage or the secret store cannot be used.
    """
    registry, secrets = _open_registry(settings), open_secret_store(settings)
    keys = Keys(secrets)
    trail = AuditTrail(registry.storage, keys.pepper)
    try:
        await registry.ensure_tables()
        await keys.ensure()
        tenants = tuple([await _put_tenant(registry, trail, secrets, upstream) for upstream in hospitals])
        client = await _demo_client(registry, trail, await keys.pepper(), state)
    except StorageUnavailable as error:
        raise LocalFailure(f"the demo's tenants could not be registered: {error.detail}") from error
    except SecretsUnavailable as error:
        raise LocalFailure(f"the demo's tenants could not be registered: {error}") from error
    finally:
        await registry.close()
        await secrets.close()
    return client, tenants


def _open_registry(settings: Settings) -> Registry:
    try:
        return Registry.open(settings)
    except ValueError:
        raise LocalFailure("TABLES_CONNECTION is no connection string of Table Storage") from None


async def portal_link(settings: Settings) -> str:
    """A link that signs in to the portal of this machine's stack once; the one before stops working.

    Raises LocalFailure when the secret store cannot be used.
    """
    secrets = open_secret_store(settings)
    try:
        return await issue_link(secrets, settings.base_url)
    except SecretsUnavailable as error:
        raise LocalFailure(f"the portal's link could not be made: {error}") from error
    finally:
        await secrets.close()


async def operator_token(settings: Settings) -> str:
    """A new token for the management API of this machine's stack; the one before stops working.

    Raises LocalFailure when the secret store cannot be used.
    """
    secrets = open_secret_store(settings)
    try:
        return await issue_operator_token(secrets)
    except SecretsUnavailable as error:
        raise LocalFailure(f"the operator's token could not be made: {error}") from error
    finally:
        await secrets.close()


async def _put_tenant(
    registry: Registry, trail: AuditTrail, secrets: SecretStore, upstream: UpstreamHospital
) -> DemoTenant:
    hospital = upstream.hospital
    tenant = Tenant(
        tenant_id=hospital.tenant_id,
        name=hospital.display_name,
        fhir_url=upstream.fhir_url,
        fhir_version=FhirVersion(hospital.version),
        auth=await _auth(secrets, upstream),
        mrn_system=hospital.mrn_system,
    )
    found = await registry.find_tenant(tenant.tenant_id)
    if found is None:
        async with trail.recorded(_SETUP, tenant_change("tenant.create", None, tenant)):
            await registry.add_tenant(tenant)
    else:
        tenant = tenant.model_copy(update={"created": found.value.created})
        async with trail.recorded(_SETUP, tenant_change("tenant.update", found.value, tenant)):
            await registry.update_tenant(tenant, found.etag)
    return DemoTenant(tenant.tenant_id, tenant.name, hospital.version, tenant.fhir_url)


async def _auth(secrets: SecretStore, upstream: UpstreamHospital) -> UpstreamAuth:
    name = f"upstream-{upstream.hospital.name}"
    match upstream.hospital.access:
        case OpenAccess():
            return NoAuth()
        case ApiKeyAccess(header=header, key=key):
            await secrets.set(name, key)
            return HeaderAuth(name=header, secret=name)
        case OAuthAccess() as access:
            await secrets.set(name, access.client_secret)
            return ClientSecretAuth(
                kind="client-secret-basic",
                client_id=access.client_id,
                secret=name,
                token_url=f"{upstream.root}/{access.token_path.lstrip('/')}",
            )


async def _demo_client(registry: Registry, trail: AuditTrail, pepper: Pepper, state: Path) -> DemoClient:
    known = remembered_client(state)
    if known is not None:
        found = await registry.find_client(known.client_id)
        if found is not None and _still_works(found.value, known.client_secret, pepper):
            return known
    secret, value = new_secret(pepper, expires=datetime.now(UTC) + SECRET_LIFETIME, description="made by make up")
    client = Client(name=CLIENT_NAME, tenants="*", secrets=(secret,))
    async with trail.recorded(_SETUP, client_change("client.create", None, client)):
        await registry.add_client(client)
    demo = DemoClient(client.client_id, value, CLIENT_NAME)
    remember_client(state, demo)
    return demo


def _still_works(client: Client, value: str, pepper: Pepper) -> bool:
    at = datetime.now(UTC)
    return client.enabled and any(
        secret.state(at) == "active" and pepper.matches(value, secret.hash) for secret in client.secrets
    )
