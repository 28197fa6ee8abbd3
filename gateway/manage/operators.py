"""Who may operate the service: people and programs of the operator's Entra tenant, locally the stack's own token."""

import hashlib
import hmac
import secrets as random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import aiohttp
import jwt
import orjson

from gateway.errors import RoleRequired, SignInRequired, StorageUnavailable
from gateway.secrets import SecretMissing, SecretStore, SecretsUnavailable
from gateway.settings import Settings

type Role = Literal["Gateway.Admin", "Gateway.Reader"]

ADMIN: Final = "Gateway.Admin"
READER: Final = "Gateway.Reader"
AUTHORITY = "https://login.microsoftonline.com"

_CHALLENGE = 'Bearer realm="manage"'
_REFUSED = 'Bearer realm="manage", error="invalid_token"'
_OPERATOR_TOKEN = "operator-token"  # noqa: S105  # the name of the secret that holds its hash
_PREFIX = "pgo_"
_KEYS_SECONDS = 24 * 3600
_RETRY_SECONDS = 60
_LEEWAY_SECONDS = 60
_MAX_TOKEN = 16_384
_TIMEOUT = aiohttp.ClientTimeout(total=10)


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

    def __init__(  # its parts
        self,
        settings: Settings,
        secrets: SecretStore,
        session: aiohttp.ClientSession,
        *,
        authority: str = AUTHORITY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = secrets
        self._local = settings.key_vault_url is None
        self._tenant = settings.entra_tenant_id
        client_id = settings.entra_client_id
        self._audience = [client_id, f"api://{client_id}"] if client_id else []
        self._clock = clock
        self._keys = AuthorityKeys(session, f"{authority}/{self._tenant}/v2.0", clock)

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
        return self._operator(await self._claims(token))

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

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise _refused(type(error).__name__) from None
        issuer, key = await self._keys.find(str(header.get("kid")))
        if key is None:
            raise _refused("the authority has no such key")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=issuer,
                # `exp` and `nbf` are compared below, by the clock of this class
                options={"require": ["exp", "iss", "aud", "tid"], "verify_exp": False, "verify_nbf": False},
            )
            at = self._clock()
            if float(claims["exp"]) <= at - _LEEWAY_SECONDS or float(claims.get("nbf", 0)) > at + _LEEWAY_SECONDS:
                raise _refused("expired, or not yet valid")
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise _refused(type(error).__name__) from None
        if claims["tid"] != self._tenant:
            raise _refused("another tenant's token")
        return claims

    def _operator(self, claims: dict[str, Any]) -> Operator:
        roles = claims.get("roles")
        granted = (
            frozenset(role for role in roles if role in (ADMIN, READER)) if isinstance(roles, list) else frozenset()
        )
        name = claims.get("preferred_username") or claims.get("azp") or claims.get("appid") or "unnamed"
        return Operator(f"{name} ({claims.get('oid') or claims.get('sub') or 'no object id'})"[:200], granted)


class AuthorityKeys:
    """The signing keys of an OpenID provider (OpenID Connect Discovery 1.0 §4), read when first needed, once a day, and
    when a token names a key that is not known: the provider may have rotated. While it does not answer, the known keys
    serve on.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str, clock: Callable[[], float]) -> None:
        self._session = session
        self._base = base
        self._clock = clock
        self._issuer = ""
        self._known: dict[str, Any] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")

    async def find(self, kid: str) -> tuple[str, Any]:
        """The provider's issuer and its public key of that id, None when there is none. Raises StorageUnavailable."""
        at = self._clock()
        due = kid not in self._known or at - self._read_at >= _KEYS_SECONDS
        if due and at - self._tried_at >= _RETRY_SECONDS:
            self._tried_at = at
            await self._read(at)
        if not self._issuer:
            raise StorageUnavailable("the authority's keys cannot be read")
        return self._issuer, self._known.get(kid)

    async def _read(self, at: float) -> None:
        try:
            configuration = await self._get(f"{self._base}/.well-known/openid-configuration")
            keys = await self._get(configuration["jwks_uri"])
            known = {
                key["kid"]: jwt.PyJWK(key, algorithm="RS256").key for key in keys["keys"] if key.get("kty") == "RSA"
            }
            self._issuer, self._known, self._read_at = str(configuration["issuer"]), known, at
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
            return  # what was known serves on

    async def _get(self, url: str) -> Any:  # noqa: ANN401  # JSON from the authority
        async with self._session.get(url, timeout=_TIMEOUT, allow_redirects=False) as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())


def _refused(detail: str) -> SignInRequired:
    return SignInRequired("The access token is not valid here.", challenge=_REFUSED, detail=detail)
