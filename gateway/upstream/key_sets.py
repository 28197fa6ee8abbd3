from typing import Any
from uuid import UUID

from gateway.errors import StorageUnavailable, UpstreamBroken
from gateway.registry import Directory
from gateway.registry.models import PrivateKeyJwtAuth
from gateway.upstream.assertions import KeyUnusable, public_key_set
from gateway.upstream.credentials import Credentials

MAX_AGE_SECONDS = 300


class KeySets:
    """The public keys by which each tenant's FHIR server checks the gateway's assertions.

    SMART Backend Services servers are told a key set's address; Epic takes nothing else from May 2026 on.
    """

    def __init__(self, directory: Directory, credentials: Credentials) -> None:
        self._directory = directory
        self._credentials = credentials

    async def of(self, tenant_id: str) -> dict[str, Any] | None:
        """The RFC 7517 key set of a tenant; None for one that is unknown, disabled or signs nothing: all look alike.

        Raises StorageUnavailable when the tenant or its key cannot be read.
        """
        try:
            tenant = await self._directory.tenant(str(UUID(tenant_id)))
        except ValueError:
            return None
        if tenant is None or not tenant.enabled or not isinstance(tenant.auth, PrivateKeyJwtAuth):
            return None
        try:
            return public_key_set(tenant.auth, await self._credentials.secret(tenant.auth.key))
        except (UpstreamBroken, KeyUnusable) as error:
            raise StorageUnavailable(f"key of a tenant: {type(error).__name__}") from error
