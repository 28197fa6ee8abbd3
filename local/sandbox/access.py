"""Who may read: nobody asked, a static key, or bearer tokens from the hospital's own token endpoint."""

import hmac
import re
import secrets
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote_plus

from local.sandbox.hospitals import ApiKeyAccess, OAuthAccess
from local.sandbox.outcomes import FhirError

_SCOPE = re.compile(r"system/(?P<type>\*|[A-Z]\w*)\.(read|\*|c?ru?d?s?)")


class Guard(Protocol):
    """Decides about a request before it reaches the data."""

    def check(self, headers: Mapping[str, str], resource_type: str) -> None:
        """Return when the request may read that type (empty for the base); FhirError 401 or 403 when not."""


class OpenDoor:
    """Lets everybody in."""

    def check(self, headers: Mapping[str, str], resource_type: str) -> None:
        """Return."""


class KeyCheck:
    """Lets requests in that carry the key."""

    def __init__(self, access: ApiKeyAccess) -> None:
        self._access = access

    def check(self, headers: Mapping[str, str], resource_type: str) -> None:
        """Return when the key is right; FhirError 401 when it is wrong or missing."""
        del resource_type  # the key opens all of them
        if not _same(headers.get(self._access.header.lower(), ""), self._access.key):
            challenge = f'ApiKey realm="sandbox", header="{self._access.header}"'
            raise FhirError(401, "login", "The API key is missing or wrong", {"WWW-Authenticate": challenge})


class TokenRequestError(Exception):
    """A token request that fails; `error` is a code of RFC 6749 section 5.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class _Token:
    expires: float
    types: frozenset[str]


class TokenIssuer:
    """The hospital's authorization server: issues random tokens and lets in who carries a live one."""

    def __init__(self, access: OAuthAccess, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the client to know and a clock that counts seconds."""
        self._access = access
        self._clock = clock
        self._tokens: dict[str, _Token] = {}

    def issue(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Return a token response (RFC 6749 section 5.1) for a client_credentials request.

        The client authenticates by `client_id` and `client_secret` in the form or by HTTP Basic; without a
        scope it gets `system/*.read`. TokenRequestError when something is wrong.
        """
        self._authenticate(form, authorization)
        if form.get("grant_type") != "client_credentials":
            raise TokenRequestError(400, "unsupported_grant_type", "grant_type must be client_credentials")
        scope = form.get("scope") or "system/*.read"
        scopes = [_SCOPE.fullmatch(part) for part in scope.split()]
        types = frozenset(part["type"] for part in scopes if part)
        if not all(scopes):
            raise TokenRequestError(400, "invalid_scope", "Scopes are like system/Patient.read")
        self._forget_expired()
        token = secrets.token_urlsafe(32)
        self._tokens[token] = _Token(self._clock() + self._access.token_lifetime, types)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self._access.token_lifetime,
            "scope": scope,
        }

    def check(self, headers: Mapping[str, str], resource_type: str) -> None:
        """Return when the bearer token is live and its scope covers the type (RFC 6750 section 3)."""
        scheme, _, credential = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise _refused(401, "login", "A bearer token is needed", "")
        token = self._tokens.get(credential.strip())
        if token is None or token.expires <= self._clock():
            raise _refused(401, "login", "The access token is unknown or expired", "invalid_token")
        if resource_type and not token.types & {"*", resource_type}:
            raise _refused(403, "forbidden", "The token's scope does not cover this type", "insufficient_scope")

    def _authenticate(self, form: Mapping[str, str], authorization: str) -> None:
        basic = _basic_credentials(authorization)
        if basic and "client_secret" in form:
            raise TokenRequestError(400, "invalid_request", "Authenticate in one way only")
        client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        known = _same(client_id, self._access.client_id) & _same(secret, self._access.client_secret)
        if not known:
            raise TokenRequestError(401, "invalid_client", "Unknown client or wrong secret")

    def _forget_expired(self) -> None:
        # All tokens live equally long, so they expire in the order in which they stand.
        now = self._clock()
        while self._tokens and self._tokens[oldest := next(iter(self._tokens))].expires <= now:
            del self._tokens[oldest]


def _refused(status: int, code: str, diagnostics: str, error: str) -> FhirError:
    challenge = 'Bearer realm="sandbox"' + (f', error="{error}"' if error else "")
    return FhirError(status, code, diagnostics, {"WWW-Authenticate": challenge})


def _basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Return the id and secret of an HTTP Basic header, form-decoded as RFC 6749 section 2.3.1 says."""
    scheme, _, credential = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = b64decode(credential, validate=True).decode().partition(":")
    except ValueError as error:
        raise TokenRequestError(401, "invalid_client", "The Basic credentials are malformed") from error
    return unquote_plus(client_id), unquote_plus(secret)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
