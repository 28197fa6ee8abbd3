"""The OpenID provider of the people and programs who operate the service: an Entra tenant."""

from collections.abc import Callable, Sequence
from typing import Any

import aiohttp
import jwt
import orjson

from gateway.errors import StorageUnavailable

_KEYS_SECONDS = 24 * 3600
_RETRY_SECONDS = 60
_LEEWAY_SECONDS = 60
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class TokenInvalid(Exception):
    """A token that the authority did not issue, for this tenant and audience and this time; the message is for the
    log and holds nothing of the token.
    """


class Authority:
    """Verifies the tokens of one Entra tenant.

    Metadata and signing keys (OpenID Connect Discovery 1.0 §4) are read when first needed, once a day, and when a token
    names a key that is not known: the provider may have rotated. While it does not answer, what is known serves on.
    """

    def __init__(
        self, base: str, tenant_id: str | None, session: aiohttp.ClientSession, clock: Callable[[], float]
    ) -> None:
        """`base` is what stands before `/.well-known/openid-configuration`."""
        self._base = base
        self._tenant = tenant_id
        self._session = session
        self._clock = clock
        self._issuer = ""
        self._end_session = ""
        self._known: dict[str, Any] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")

    async def claims(self, token: str, audience: Sequence[str]) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core 1.0 §3.1.3.7) or access token: signed with RS256 by a key of
        this authority, its issuer, one of `audience`, the tenant in `tid`, and within its times give or take a minute.

        Raises TokenInvalid, StorageUnavailable.
        """
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise TokenInvalid(type(error).__name__) from None
        key = await self._find(str(header.get("kid")))
        if key is None:
            raise TokenInvalid("the authority has no such key")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=audience,
                issuer=self._issuer,
                # `exp` and `nbf` are compared below, by the clock of this class
                options={"require": ["exp", "iss", "aud", "tid"], "verify_exp": False, "verify_nbf": False},
            )
            at = self._clock()
            if float(claims["exp"]) <= at - _LEEWAY_SECONDS or float(claims.get("nbf", 0)) > at + _LEEWAY_SECONDS:
                raise TokenInvalid("expired, or not yet valid")
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            raise TokenInvalid(type(error).__name__) from None
        if claims["tid"] != self._tenant:
            raise TokenInvalid("another tenant's token")
        return claims

    async def end_session_endpoint(self) -> str:
        """Where people sign out (OpenID Connect RP-Initiated Logout 1.0 §2.1), empty where they cannot.

        Raises StorageUnavailable.
        """
        await self._refresh(due=self._clock() - self._read_at >= _KEYS_SECONDS)
        return self._end_session

    async def _find(self, kid: str) -> Any:  # noqa: ANN401  # a public key
        await self._refresh(due=kid not in self._known or self._clock() - self._read_at >= _KEYS_SECONDS)
        return self._known.get(kid)

    async def _refresh(self, *, due: bool) -> None:
        at = self._clock()
        if due and at - self._tried_at >= _RETRY_SECONDS:
            self._tried_at = at
            await self._read(at)
        if not self._issuer:
            raise StorageUnavailable("the authority's keys cannot be read")

    async def _read(self, at: float) -> None:
        try:
            configuration = await self._get(f"{self._base}/.well-known/openid-configuration")
            keys = await self._get(configuration["jwks_uri"])
            known = {
                key["kid"]: jwt.PyJWK(key, algorithm="RS256").key for key in keys["keys"] if key.get("kty") == "RSA"
            }
            end_session = str(configuration.get("end_session_endpoint", ""))
            self._issuer, self._end_session = str(configuration["issuer"]), end_session
            self._known, self._read_at = known, at
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
            return  # what was known serves on

    async def _get(self, url: str) -> Any:  # noqa: ANN401  # JSON from the authority
        async with self._session.get(url, timeout=_TIMEOUT, allow_redirects=False) as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())
