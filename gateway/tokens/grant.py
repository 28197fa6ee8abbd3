from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import jwt

from gateway.errors import InvalidRequest, InvalidScope, StorageUnavailable, UnsupportedGrantType
from gateway.registry import Client, Directory
from gateway.registry.models import now
from gateway.settings import Settings
from gateway.tokens.client_auth import authenticate_secret, read_claim
from gateway.tokens.form import parse_form
from gateway.tokens.keys import ALGORITHM, Keys, SigningKey
from gateway.tokens.scopes import Scope, only_tenant, parse_scope

TOKEN_TYPE = "at+jwt"  # noqa: S105  # RFC 9068 §2.1, the media type in the JOSE header


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """RFC 6749 §5.1, with what the access log needs beside it."""

    body: dict[str, Any]
    client_id: str
    tenant_id: str
    credential: str


class TokenEndpoint:
    """RFC 6749 §4.4 client credentials, with the tenant in the scope (contract §3)."""

    def __init__(
        self, settings: Settings, directory: Directory, keys: Keys, *, clock: Callable[[], datetime] = now
    ) -> None:
        self._issuer = settings.base_url
        self._audience = settings.fhir_base_url
        self._lifetime = settings.token_lifetime_seconds
        self._directory = directory
        self._keys = keys
        self._clock = clock

    async def grant(self, headers: Mapping[str, str], body: bytes) -> IssuedToken:
        """Answer a token request. `headers` have lower-case names. Raises OAuthError, StorageUnavailable."""
        form = parse_form(headers.get("content-type", ""), body, headers)
        claim = read_claim(headers, form)
        at = self._clock()
        grant_type = form.get("grant_type") or form.get("grant-type")  # one of the app's two spellings
        if grant_type is None:
            raise InvalidRequest("grant_type is missing.")
        if grant_type != "client_credentials":
            raise UnsupportedGrantType("The only grant type is client_credentials.")
        authenticated = await authenticate_secret(claim, self._directory, await self._keys.pepper(), at)
        scope = parse_scope(form.get("scope", ""))
        tenant_id = await self._tenant(scope, authenticated.client)
        ring = await self._keys.ring()
        try:
            key = ring.signing(at)
        except LookupError as error:
            raise StorageUnavailable(str(error)) from error
        granted = " ".join((tenant_id, *scope.system))
        token = self._sign(key, authenticated.client.client_id, authenticated.credential, tenant_id, granted, at)
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self._lifetime,
            "scope": granted,
        }
        return IssuedToken(answer, authenticated.client.client_id, tenant_id, authenticated.credential)

    async def _tenant(self, scope: Scope, client: Client) -> str:
        if scope.types is not None and not scope.types:
            raise InvalidScope("the SMART scopes grant nothing")
        tenant_id = only_tenant(scope)
        if tenant_id is None:
            if client.tenants == "*" or len(client.tenants) != 1:
                raise InvalidScope("no tenant in scope, and the client has no single one")
            tenant_id = client.tenants[0]
        tenant = await self._directory.tenant(tenant_id)
        if tenant is None or not tenant.enabled or not client.may_use(tenant_id):
            raise InvalidScope("tenant unknown, disabled or not this client's")
        return tenant_id

    def _sign(  # the claims of the contract
        self, key: SigningKey, client_id: str, credential: str, tenant_id: str, scope: str, at: datetime
    ) -> str:
        issued = int(at.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": client_id,
            "client_id": client_id,
            "scope": scope,
            "tenant": tenant_id,
            "credential": credential,
            "jti": str(uuid4()),
            "iat": issued,
            "exp": issued + self._lifetime,
        }
        return jwt.encode(claims, key.private_key, ALGORITHM, headers={"kid": key.kid, "typ": TOKEN_TYPE})
