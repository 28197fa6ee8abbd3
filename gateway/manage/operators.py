"""Who may operate the service: people and programs of the operator's Entra tenant, locally the stack's own token."""

import hashlib
import hmac
import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from gateway.errors import RoleRequired, SignInRequired, StorageUnavailable
from gateway.manage.authority import Authority, TokenInvalid
from gateway.secrets import SecretMissing, SecretStore, SecretsUnavailable
from gateway.settings import Settings

type Role = Literal["Gateway.Admin", "Gateway.Reader"]

ADMIN: Final = "Gateway.Admin"
READER: Final = "Gateway.Reader"

_CHALLENGE = 'Bearer realm="manage"'
_REFUSED = 'Bearer realm="manage", error="invalid_token"'
_OPERATOR_TOKEN = "operator-token"  # noqa: S105  # the name of the secret that holds its hash
_PREFIX = "pgo_"
_MAX_TOKEN = 16_384


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who signed in; `name` is what the audit trail says."""

    name: str
    roles: frozenset[str]

    def require(self, role: Role) -> None:
        """Raises RoleRequired. An admin may do what a reader may."""
        if role not in self.roles and ADMIN not in self.roles:
            raise RoleRequired(f"This needs the app role {role}.", detail=f"{self.name} lacks {role}")


async def issue_operator_token(secrets: SecretStore) -> str:
    """A new operator token for the local stack, which replaces the one before; only its hash is kept.

    It works only where there is no Key Vault. Raises SecretsUnavailable.
    """
    token = _PREFIX + random.token_urlsafe(32)
    await secrets.set(_OPERATOR_TOKEN, hashlib.sha256(token.encode()).hexdigest())
    return token


class Operators:
    """Verifies who operates: access tokens of the Entra tenant `ENTRA_TENANT_ID` for the app `ENTRA_CLIENT_ID` with
    their app roles, and where there is no Key Vault the stack's operator token.
    """

    def __init__(self, settings: Settings, secrets: SecretStore, authority: Authority) -> None:
        self._secrets = secrets
        self._local = settings.key_vault_url is None
        self._tenant = settings.entra_tenant_id
        client_id = settings.entra_client_id
        self._audience = [client_id, f"api://{client_id}"] if client_id else []
        self._authority = authority

    async def verify(self, authorization: str | None) -> Operator:
        """The operator who sent this Authorization header. Raises SignInRequired, StorageUnavailable."""
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise SignInRequired(
                "An operator's access token is needed: send Authorization: Bearer.", challenge=_CHALLENGE
            )
        if len(token) > _MAX_TOKEN:
            raise _refused("too long")
        if self._local and token.startswith(_PREFIX):
            return await self._local_operator(token)
        if not self._tenant or not self._audience:
            raise _refused("no Entra tenant is configured")
        try:
            return operator_of(await self._authority.claims(token, self._audience))
        except TokenInvalid as error:
            raise _refused(str(error)) from None

    async def _local_operator(self, token: str) -> Operator:
        try:
            expected = await self._secrets.get(_OPERATOR_TOKEN)
        except SecretMissing:
            raise _refused("no operator token was issued") from None
        except SecretsUnavailable as error:
            raise StorageUnavailable(str(error)) from error
        if not hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), expected.strip()):
            raise _refused("not the operator token of this stack")
        return Operator("operator token", frozenset({ADMIN}))


def operator_of(claims: Mapping[str, Any]) -> Operator:
    """Whom verified claims of Entra name, with those of the app roles that are roles here."""
    roles = claims.get("roles")
    granted = frozenset(role for role in roles if role in (ADMIN, READER)) if isinstance(roles, list) else frozenset()
    name = claims.get("preferred_username") or claims.get("azp") or claims.get("appid") or "unnamed"
    return Operator(f"{name} ({claims.get('oid') or claims.get('sub') or 'no object id'})"[:200], granted)


def _refused(detail: str) -> SignInRequired:
    return SignInRequired("The access token is not valid here.", challenge=_REFUSED, detail=detail)
