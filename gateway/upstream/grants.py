"""Client credentials at a FHIR server's token endpoint (RFC 6749 §4.4)."""

from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import orjson

from gateway.errors import UpstreamBroken
from gateway.registry.models import ClientSecretAuth, PrivateKeyJwtAuth
from gateway.upstream.assertions import KeyUnusable, client_assertion
from gateway.upstream.responses import read_body
from gateway.upstream.token_cache import Token

_DEFAULT_LIFE_SECONDS = 300
_MAX_BYTES = 1_000_000
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
_REFUSALS = frozenset({400, 401, 403})
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class CredentialRefused(UpstreamBroken):
    """The token endpoint answered, and does not take the gateway's credential."""


async def grant_by_secret(session: aiohttp.ClientSession, auth: ClientSecretAuth, secret: str, address: str) -> Token:
    """Raises CredentialRefused, UpstreamBroken."""
    form: dict[str, str] = {}
    headers: dict[str, str] = {}
    if auth.kind == "client-secret-post":
        form = {"client_id": auth.client_id, "client_secret": secret}
    else:
        # RFC 6749 §2.3.1: both parts are form encoded before they are joined
        headers["Authorization"] = basic(quote_plus(auth.client_id), quote_plus(secret))
    if auth.audience:
        form["audience"] = auth.audience
    return await _grant(session, address, form, headers, auth.scope)


async def grant_by_key(session: aiohttp.ClientSession, auth: PrivateKeyJwtAuth, key_text: str, address: str) -> Token:
    """SMART Backend Services. Raises CredentialRefused, UpstreamBroken."""
    try:
        assertion = client_assertion(auth, key_text, address)
    except KeyUnusable as error:
        raise UpstreamBroken("The tenant's private key cannot be used.", detail=str(error)) from error
    form = {"client_assertion_type": _ASSERTION, "client_assertion": assertion}
    return await _grant(session, address, form, {}, auth.scope)


def basic(user: str, password: str) -> str:
    """RFC 7617, in UTF-8."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


async def _grant(
    session: aiohttp.ClientSession, address: str, form: dict[str, str], headers: dict[str, str], scope: str | None
) -> Token:
    form = {"grant_type": "client_credentials", **form, **({"scope": scope} if scope else {})}
    headers = {"Accept": "application/json", **headers}
    try:
        async with session.post(address, data=form, headers=headers, allow_redirects=False, timeout=_TIMEOUT) as answer:
            body = await read_body(answer.content, _MAX_BYTES)
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UpstreamBroken(
            "The FHIR server's token endpoint cannot be reached.", detail=type(error).__name__
        ) from error
    return _read_token(status, body)


def _read_token(status: int, body: bytes) -> Token:
    try:
        answer: Any = orjson.loads(body)
        value, life = answer["access_token"], float(answer.get("expires_in", _DEFAULT_LIFE_SECONDS))
        # A line break in a token would end the header.
        if (
            status in range(200, 300)
            and isinstance(value, str)
            and value.isascii()
            and value.isprintable()
            and life > 0
        ):
            return Token(value, life)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    kind = CredentialRefused if status in _REFUSALS else UpstreamBroken
    raise kind("The FHIR server's token endpoint refused the gateway's credential.", detail=f"status {status}")
