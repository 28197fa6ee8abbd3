from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.errors import InvalidRequest, InvalidScope, UnsupportedGrantType
from gateway.registry import Client, Directory
from gateway.registry.models import now
from gateway.registry.uses import Uses
from gateway.settings import Settings
from gateway.tokens.client_auth import ClientAuthentication
from gateway.tokens.form import parse_form
from gateway.tokens.issuer import Issuer
from gateway.tokens.rate import TokenRate
from gateway.tokens.scopes import Scope, only_tenant, parse_scope


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
        self,
        settings: Settings,
        directory: Directory,
        issuer: Issuer,
        authentication: ClientAuthentication,
        uses: Uses,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._directory = directory
        self._issuer = issuer
        self._authentication = authentication
        self._uses = uses
        self._rate = TokenRate(settings.client_rate_per_second)
        self._clock = clock

    async def grant(self, headers: Mapping[str, str], body: bytes) -> IssuedToken:
        """Answer a token request. `headers` have lower-case names. Raises OAuthError, StorageUnavailable.

        Equal requests within `WINDOW_SECONDS` get the same token; each of them is checked in full.
        """
        form = parse_form(body, headers)
        grant_type = form.get("grant_type") or form.get("grant-type")  # one of the app's two spellings
        if grant_type is None:
            raise InvalidRequest("grant_type is missing.")
        if grant_type != "client_credentials":
            raise UnsupportedGrantType("The only grant type is client_credentials.")
        authenticated = await self._authentication.authenticate(headers, form)
        client = authenticated.client
        scope = parse_scope(form.get("scope", ""))
        tenant_id = await self._tenant(scope, client)
        self._rate.take(client.client_id)
        at = self._clock()
        credential, granted = authenticated.credential, " ".join((tenant_id, *scope.system))
        token = await self._issuer.issue(client.client_id, credential, tenant_id, granted, at)
        self._uses.note(client.client_id, credential, at)
        answer = {
            "access_token": token.text,
            "token_type": "Bearer",
            "expires_in": token.expires - int(at.timestamp()),
            "scope": granted,
        }
        return IssuedToken(answer, client.client_id, tenant_id, credential)

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
