import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import BearerMisused, TokenRefused, TokenRequired
from gateway.registry import Client, Directory, Tenant
from gateway.registry.models import now
from gateway.settings import Settings
from gateway.tokens.client_keys import ClientKeys
from gateway.tokens.keys import Keys
from gateway.tokens.revocation import Revocations
from gateway.tokens.scopes import Scope, parse_scope
from gateway.tokens.signer import NotOurs, read

_REMEMBERED = 4096
_MAX_TOKEN_CHARACTERS = 4096


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The claims of a verified token that the FHIR route needs."""

    client_id: str
    tenant_id: str
    credential: str
    kid: str
    jti: str
    scope: Scope
    expires: float


class Verifier:
    """RFC 6750 bearer tokens of this service: signature, audience, life, and that client, credential and tenant still
    are what they were.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        keys: Keys,
        client_keys: ClientKeys,
        revocations: Revocations,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._issuer = settings.base_url
        self._audience = settings.fhir_base_url
        self._directory = directory
        self._keys = keys
        self._client_keys = client_keys
        self._revocations = revocations
        self._clock = clock
        self._remembered: OrderedDict[bytes, AccessToken] = OrderedDict()

    async def verify(self, authorization: str | None) -> tuple[AccessToken, Tenant]:
        """The token and its tenant. Raises TokenRequired, TokenRefused, BearerMisused, StorageUnavailable."""
        at = self._clock()
        token = await self.signed(_bearer(authorization), at)
        if await self._revocations.revoked(token.jti):
            raise TokenRefused("The access token was revoked.")
        client = await self._directory.client(token.client_id)
        if client is None or not client.enabled:
            raise TokenRefused("The client of this token is no longer active.")
        if not await self._active(client, token.credential, at):
            raise TokenRefused("The credential that this token was issued with is no longer active.")
        tenant = await self._directory.tenant(token.tenant_id)
        if tenant is None or not tenant.enabled or not client.may_use(token.tenant_id):
            raise TokenRefused("The tenant of this token is no longer available.")
        return token, tenant

    async def _active(self, client: Client, credential: str, at: datetime) -> bool:
        if credential.startswith("key:"):
            if "private_key_jwt" not in client.auth_methods:
                return False
            return any(key.credential == credential for key in await self._client_keys.of(client))
        secret = client.secret(credential)
        return secret is not None and secret.state(at) == "active"

    async def signed(self, text: str, at: datetime) -> AccessToken:
        """A token of this service that has not ended, whatever became of its client. Raises TokenRefused.

        What cannot change while a token lives is checked once per token: a hash of it is remembered, not the token.
        """
        digest = hashlib.blake2b(text.encode("ascii", "replace"), digest_size=32).digest()
        ring = await self._keys.ring()
        known = self._remembered.get(digest)
        if known is not None and known.expires > at.timestamp() and ring.verifying(known.kid, at) is not None:
            self._remembered.move_to_end(digest)
            return known
        try:
            claims, key = read(text, ring, at)
            if claims["iss"] != self._issuer or claims["aud"] != self._audience:
                raise TokenRefused("The access token is not for this service.")
            token = AccessToken(
                client_id=claims["client_id"],
                tenant_id=claims["tenant"],
                credential=claims["credential"],
                kid=key.kid,
                jti=claims["jti"],
                scope=parse_scope(claims["scope"]),
                expires=claims["exp"],
            )
        except (NotOurs, KeyError) as error:
            raise TokenRefused("The access token is not one of this service's.", detail=type(error).__name__) from None
        if token.expires <= at.timestamp():
            raise TokenRefused("The access token has expired.")
        self._remembered[digest] = token
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        return token


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise TokenRequired
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer":
        raise TokenRequired
    if not token or " " in token or "," in token or len(token) > _MAX_TOKEN_CHARACTERS:
        raise BearerMisused("The Authorization header must hold exactly one bearer token.")
    return token
