import time
from collections.abc import Callable, Hashable, Mapping

import aiohttp

from gateway.errors import UpstreamBroken
from gateway.registry.models import (
    BasicAuth,
    ClientSecretAuth,
    EntraAuth,
    HeaderAuth,
    NoAuth,
    PrivateKeyJwtAuth,
    Tenant,
)
from gateway.secrets import SecretStore
from gateway.settings import Settings
from gateway.upstream.addresses import AddressRefused, check_address
from gateway.upstream.discovery import token_url
from gateway.upstream.entra import entra_scope, grant_by_application, grant_by_identity
from gateway.upstream.grants import CredentialRefused, basic, grant_by_key, grant_by_secret
from gateway.upstream.secret_cache import SecretCache
from gateway.upstream.token_cache import Token, TokenCache

type _TokenAuth = ClientSecretAuth | PrivateKeyJwtAuth | EntraAuth

_ENDPOINT_SECONDS = 3600
_BEARER = "Bearer "


class Credentials:
    """What the gateway shows to each tenant's FHIR server.

    Tokens are kept until shortly before they end; one refresh at a time for a tenant, and one tenant's slow token
    endpoint holds up nobody else. Secrets are kept for a few minutes and read anew when they are refused.
    """

    def __init__(
        self,
        secrets: SecretStore,
        session: aiohttp.ClientSession,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets = SecretCache(secrets, clock)
        self._session = session
        self._settings = settings
        self._tokens = TokenCache(clock)
        self._endpoints = TokenCache(clock)

    async def headers(self, tenant: Tenant) -> dict[str, str]:
        """Headers for a request to the tenant's server. Raises UpstreamBroken when no credential can be had."""
        match tenant.auth:
            case NoAuth():
                return {}
            case HeaderAuth(name=name, secret=secret):
                return {name: await self._secrets.get(secret)}
            case BasicAuth(username=username, secret=secret):
                return {"Authorization": basic(username, await self._secrets.get(secret))}
            case ClientSecretAuth() | PrivateKeyJwtAuth() | EntraAuth() as auth:
                token = await self._tokens.get(_key(tenant), lambda: self._request(tenant, auth))
                return {"Authorization": _BEARER + token}

    async def refused(self, tenant: Tenant, headers: Mapping[str, str]) -> bool:
        """The server refused these headers (401): whether there are newer ones, worth another try."""
        match tenant.auth:
            case NoAuth():
                return False
            case HeaderAuth(secret=secret) | BasicAuth(secret=secret):
                self._secrets.expire(secret)
                return await self.headers(tenant) != headers
            case _:
                self._tokens.drop(_key(tenant), headers["Authorization"].removeprefix(_BEARER))
                return True

    async def secret(self, name: str) -> str:
        """A secret by name, from the same cache. Raises UpstreamBroken when it cannot be had."""
        return await self._secrets.get(name)

    async def _request(self, tenant: Tenant, auth: _TokenAuth) -> Token:
        """A new token; a secret that is refused is read anew once."""
        name = _secret_name(auth)
        secret = await self._secrets.get(name) if name else ""
        try:
            return await self._grant(tenant, auth, secret)
        except CredentialRefused:
            if not name:
                raise
            self._secrets.expire(name)
            newer = await self._secrets.get(name)
            if newer == secret:
                raise
            return await self._grant(tenant, auth, newer)

    async def _grant(self, tenant: Tenant, auth: _TokenAuth, secret: str) -> Token:
        match auth:
            case ClientSecretAuth():
                return await grant_by_secret(self._session, auth, secret, await self._endpoint(tenant, auth.token_url))
            case PrivateKeyJwtAuth():
                return await grant_by_key(self._session, auth, secret, await self._endpoint(tenant, auth.token_url))
            case EntraAuth():
                scope = entra_scope(auth, tenant.fhir_url)
                if secret:
                    return await grant_by_application(auth, secret, scope)
                return await grant_by_identity(auth.client_id, scope)

    async def _endpoint(self, tenant: Tenant, given: str | None) -> str:
        async def discover() -> Token:
            return Token(await token_url(self._session, tenant), _ENDPOINT_SECONDS)

        # Servers of one address may be told apart by what else is sent there.
        server = (tenant.fhir_url, tuple(tenant.extra_headers.items()), tuple(tenant.extra_parameters.items()))
        address = given or await self._endpoints.get(server, discover)
        try:
            check_address(address, self._settings)
        except AddressRefused as error:
            raise UpstreamBroken(
                "The FHIR server's token endpoint is at an address that is not allowed.", detail=str(error)
            ) from None
        return address


def _secret_name(auth: _TokenAuth) -> str | None:
    match auth:
        case ClientSecretAuth():
            return auth.secret
        case PrivateKeyJwtAuth():
            return auth.key
        case EntraAuth():
            return auth.secret or auth.certificate


def _key(tenant: Tenant) -> Hashable:
    # With the credential's definition, so that a changed one never meets the old one's token.
    return tenant.tenant_id, tenant.fhir_url, tenant.auth
