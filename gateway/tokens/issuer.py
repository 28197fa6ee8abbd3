from datetime import datetime
from itertools import count
from uuid import uuid4

from gateway.errors import StorageUnavailable
from gateway.settings import Settings
from gateway.tokens.keys import Keys, SigningKey
from gateway.tokens.recent import Grant, RecentTokens, SignedToken
from gateway.tokens.signer import sign


class Issuer:
    """Makes access tokens (RFC 9068), or hands out the one that an equal grant was given a moment ago."""

    def __init__(self, settings: Settings, keys: Keys, recent: RecentTokens) -> None:
        self._issuer = settings.base_url
        self._audience = settings.fhir_base_url
        self._lifetime = settings.token_lifetime_seconds
        self._keys = keys
        self._recent = recent
        # A jti has to be unique, not secret: random for the process, then a number.
        self._process = uuid4().hex
        self._numbers = count(1)

    async def issue(self, client_id: str, credential: str, tenant_id: str, scope: str, at: datetime) -> SignedToken:
        """A token for what was checked just now. Raises StorageUnavailable when no key can sign."""
        ring = await self._keys.ring()
        try:
            key = ring.signing(at)
        except LookupError as error:
            raise StorageUnavailable(str(error)) from error
        # The key is part of the grant: a new key signs from its first second on.
        grant, second = Grant(client_id, credential, tenant_id, scope, key.kid), int(at.timestamp())
        token = self._recent.find(grant, second)
        if token is None:
            token = self._signed(grant, key, second)
            self._recent.keep(grant, token)
        return token

    def _signed(self, grant: Grant, key: SigningKey, issued: int) -> SignedToken:
        jti, expires = f"{self._process}.{next(self._numbers):x}", issued + self._lifetime
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": grant.client_id,
            "client_id": grant.client_id,
            "scope": grant.scope,
            "tenant": grant.tenant_id,
            "credential": grant.credential,
            "jti": jti,
            "iat": issued,
            "exp": expires,
        }
        return SignedToken(sign(claims, key), jti, issued, expires)
