import asyncio
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import orjson

from gateway.errors import UpstreamBroken
from gateway.registry.models import BasicAuth, ClientSecretAuth, HeaderAuth, NoAuth, Tenant
from gateway.secrets import SecretMissing, SecretStore, SecretsUnavailable
from gateway.upstream.discovery import token_url

# A token is renewed this long before it ends, so that it is still good when the request arrives.
_MARGIN_SECONDS = 30
_DEFAULT_LIFE_SECONDS = 300


@dataclass(slots=True)
class _Token:
    value: str
    expires: float


class Credentials:
    """What the gateway shows to each tenant's FHIR server. Tokens are cached until shortly before they end; at most one
    refresh runs at a time for a tenant.
    """

    def __init__(self, secrets: SecretStore, session: aiohttp.ClientSession) -> None:
        self._secrets = secrets
        self._session = session
        self._tokens: dict[str, _Token] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def headers(self, tenant: Tenant) -> dict[str, str]:
        """Headers for a request to the tenant's server. Raises UpstreamBroken when no credential can be had."""
        match tenant.auth:
            case NoAuth():
                return {}
            case HeaderAuth(name=name, secret=secret):
                return {name: await self._secret(secret)}
            case BasicAuth(username=username, secret=secret):
                return {"Authorization": _basic(username, await self._secret(secret))}
            case ClientSecretAuth() as auth:
                return {"Authorization": f"Bearer {await self._token(tenant, auth)}"}
            case other:
                raise UpstreamBroken(
                    "The tenant's way of authentication is not available.", detail=f"auth kind {other.kind}"
                )

    def forget(self, tenant: Tenant) -> bool:
        """Drop the tenant's token, after the server refused it; False when there was none to renew."""
        return self._tokens.pop(_key(tenant), None) is not None

    async def _token(self, tenant: Tenant, auth: ClientSecretAuth) -> str:
        key = _key(tenant)
        token = self._tokens.get(key)
        if token is not None and token.expires > time.monotonic():
            return token.value
        async with self._locks.setdefault(key, asyncio.Lock()):
            token = self._tokens.get(key)
            if token is None or token.expires <= time.monotonic():
                token = await self._request_token(tenant, auth)
                self._tokens[key] = token
            return token.value

    async def _request_token(self, tenant: Tenant, auth: ClientSecretAuth) -> _Token:
        secret = await self._secret(auth.secret)
        form = {"grant_type": "client_credentials"}
        headers = {"Accept": "application/json"}
        if auth.kind == "client-secret-post":
            form |= {"client_id": auth.client_id, "client_secret": secret}
        else:
            # RFC 6749 §2.3.1: both parts are form encoded before they are joined
            headers["Authorization"] = _basic(quote_plus(auth.client_id), quote_plus(secret))
        if auth.scope:
            form["scope"] = auth.scope
        if auth.audience:
            form["audience"] = auth.audience
        address = auth.token_url or await token_url(self._session, tenant.fhir_url)
        started = time.monotonic()
        try:
            async with self._session.post(address, data=form, headers=headers, allow_redirects=False) as answer:
                body = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UpstreamBroken(
                "The FHIR server's token endpoint cannot be reached.", detail=type(error).__name__
            ) from error
        return _read_token(status, body, started)

    async def _secret(self, name: str) -> str:
        try:
            return (await self._secrets.get(name)).strip()
        except (SecretMissing, SecretsUnavailable) as error:
            raise UpstreamBroken("The tenant's credential is not available.", detail=str(error)) from error


def _read_token(status: int, body: bytes, started: float) -> _Token:
    try:
        answer: Any = orjson.loads(body)
        value, life = str(answer["access_token"]), float(answer.get("expires_in", _DEFAULT_LIFE_SECONDS))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UpstreamBroken(
            "The FHIR server's token endpoint refused the gateway's credential.", detail=f"status {status}"
        ) from None
    # Half of a very short life, or the margin: never renew on every request.
    return _Token(value, started + max(life - _MARGIN_SECONDS, life / 2))


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _key(tenant: Tenant) -> str:
    # With the credential's definition, so that a changed one never meets the old one's token.
    return f"{tenant.tenant_id} {tenant.fhir_url} {tenant.auth!r}"
