"""Signed client assertions: `private_key_jwt` (RFC 7523 §3, SMART Backend Services)."""

import hashlib
import logging
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
from jwt.api_jws import PyJWS

from gateway.errors import InvalidClient, StorageUnavailable
from gateway.registry import Client
from gateway.settings import Settings
from gateway.tokens.client_keys import ALGORITHMS, ClientKey, ClientKeys
from gateway.tokens.used_assertions import UsedAssertions

LONGEST_LIFE_SECONDS = 300
_SKEW_SECONDS = 30
"""By how much a client's clock may be ahead of this one; a late clock gets no grace, `exp` is what it says."""
_MAX_CHARACTERS = 8192
_LONGEST_JTI = 256

_log = logging.getLogger(__name__)
_jws = PyJWS()


class Assertions:
    """Checks assertions and remembers them until they end, so that each is good for one request."""

    def __init__(self, settings: Settings, keys: ClientKeys, used: UsedAssertions) -> None:
        # The token endpoint's URL is what SMART demands; RFC 7523 §3 lets the issuer name the server as well.
        self._audiences = (settings.token_url, settings.base_url)
        self._keys = keys
        self._used = used

    def claimed(self, assertion: str) -> str:
        """The client id, in lower case, an assertion says it comes from. Raises InvalidClient when it says none."""
        claims = _unverified(assertion)
        issuer, subject = claims.get("iss"), claims.get("sub")
        if not isinstance(issuer, str) or issuer != subject:
            raise InvalidClient("iss and sub of the assertion differ")
        try:
            return str(UUID(issuer))
        except ValueError:
            raise InvalidClient("the assertion's issuer is no client id") from None

    async def verify(self, assertion: str, client: Client, at: datetime) -> str:
        """The id of the key that signed this client's assertion, which is used up by that. Raises InvalidClient."""
        header = _header(assertion)
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS or not isinstance(kid, str | None) or "crit" in header:
            raise InvalidClient("the assertion's header is not acceptable")
        try:
            keys = await self._keys.named(client, kid, algorithm)
        except StorageUnavailable as error:
            _log.warning("the keys of client %s could not be read: %s", client.client_id, error.detail)
            raise InvalidClient("the client's keys could not be read") from None
        key, claims = self._signed(assertion, keys)
        expires, jti = _check_times(claims, at.timestamp()), claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
            raise InvalidClient("the assertion's jti is not acceptable")
        if not await self._used.add(_digest(client.client_id, jti), expires, at):
            raise InvalidClient("the assertion was used before")
        return key.credential

    def _signed(self, assertion: str, keys: tuple[ClientKey, ...]) -> tuple[ClientKey, dict[str, Any]]:
        for key in keys:
            try:
                claims = jwt.decode(
                    assertion,
                    key.key,
                    algorithms=[key.algorithm],
                    audience=self._audiences,
                    # times are compared by the service's own clock
                    options={
                        "require": ["exp", "aud", "jti"],
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "verify_jti": False,
                        "verify_sub": False,
                        "verify_iss": False,
                    },
                )
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, ValueError, TypeError) as error:
                raise InvalidClient(f"assertion: {type(error).__name__}") from None
            return key, claims
        raise InvalidClient("no registered key has signed the assertion")


def _check_times(claims: dict[str, Any], at: float) -> float:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in times.values()):
        raise InvalidClient("a time in the assertion is no number")
    expires = float(times["exp"])
    if not at < expires <= at + LONGEST_LIFE_SECONDS + _SKEW_SECONDS:
        raise InvalidClient("the assertion has expired, or lives longer than five minutes")
    if any(times[name] > at + _SKEW_SECONDS for name in ("nbf", "iat") if name in times):
        raise InvalidClient("the assertion is not yet valid")
    return expires


def _header(assertion: str) -> dict[str, Any]:
    if len(assertion) > _MAX_CHARACTERS:
        raise InvalidClient("the assertion is too long")
    try:
        return _jws.get_unverified_header(assertion)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidClient(f"assertion: {type(error).__name__}") from None


def _unverified(assertion: str) -> dict[str, Any]:
    _header(assertion)
    try:
        return jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise InvalidClient(f"assertion: {type(error).__name__}") from None


def _digest(client_id: str, jti: str) -> str:
    return hashlib.sha256(f"{client_id}\0{jti}".encode("utf-8", "surrogatepass")).hexdigest()
