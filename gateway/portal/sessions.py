"""Who is signed in, in a sealed cookie: the server keeps nothing, and the browser can neither read nor change it."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Self

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.manage.operators import ADMIN, Operator
from gateway.registry.secret_values import Pepper

IDLE_SECONDS = 30 * 60
ABSOLUTE_SECONDS = 8 * 3600
_RENEW_SECONDS = 60
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Session:
    """Times are seconds since 1970; `key` names this session and is what its form tokens are made from."""

    name: str
    roles: tuple[str, ...]
    key: str
    started: float
    seen: float

    @classmethod
    def begin(cls, operator: Operator, at: float) -> Self:
        return cls(operator.name, tuple(sorted(operator.roles)), secrets.token_urlsafe(16), at, at)

    @property
    def operator(self) -> Operator:
        return Operator(self.name, frozenset(self.roles))

    @property
    def may_change(self) -> bool:
        return ADMIN in self.roles

    def alive(self, at: float) -> bool:
        """Whether neither the idle nor the absolute time-out has passed."""
        return at - self.seen < IDLE_SECONDS and at - self.started < ABSOLUTE_SECONDS

    def renewed(self, at: float) -> "Session | None":
        """The session as the cookie should say it from now on; None while what it says is new enough."""
        return replace(self, seen=at) if at - self.seen >= _RENEW_SECONDS else None


class Seal:
    """Seals sessions with a key derived from the pepper. Values are base64url without padding: the Functions host
    percent-encodes everything else in a cookie.
    """

    def __init__(self, pepper: Pepper, clock: Callable[[], float]) -> None:
        self._version = pepper.newest
        self._key = pepper.derived("portal session", self._version)
        self._clock = clock

    def close(self, session: Session) -> str:
        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self._key).encrypt(nonce, orjson.dumps(asdict(session)), None)
        return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, value: str) -> Session | None:
        """The session in a cookie's value; None when it was not sealed here, or has timed out."""
        try:
            raw = urlsafe_b64decode(value + "=" * (-len(value) % 4))
            fields = orjson.loads(AESGCM(self._key).decrypt(raw[:_NONCE], raw[_NONCE:], None))
        except (ValueError, InvalidTag):
            return None
        session = Session(**fields | {"roles": tuple(fields["roles"])})
        return session if session.alive(self._clock()) else None

    def form_token(self, session: Session) -> str:
        """What every form of this session carries, so that no other site can send one (CSRF)."""
        return hmac.digest(self._key, f"form {session.key}".encode(), hashlib.sha256).hex()

    def accepts(self, session: Session, token: str) -> bool:
        return hmac.compare_digest(self.form_token(session).encode(), token.encode("utf-8", "surrogatepass"))
