"""Who is signed in, in a sealed cookie; the server keeps only which sessions were ended early (ADR 0014)."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Self

from gateway.manage.operators import ADMIN, Operator
from gateway.portal.sealing import seal, unseal
from gateway.registry.expiring import ExpiringRows
from gateway.registry.models import now
from gateway.registry.secret_values import Pepper

IDLE_SECONDS = 30 * 60
ABSOLUTE_SECONDS = 8 * 3600
_RENEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Session:
    """Times are seconds since 1970; `key` names this session and is what its form tokens are made from. Whoever signed
    in with the authority (`by_authority`) also signs out there.
    """

    name: str
    roles: tuple[str, ...]
    key: str
    started: float
    seen: float
    by_authority: bool = False

    @classmethod
    def begin(cls, operator: Operator, at: float, *, by_authority: bool = False) -> Self:
        """A new session under a new key, whatever session the browser had before."""
        return cls(operator.name, tuple(sorted(operator.roles)), secrets.token_urlsafe(16), at, at, by_authority)

    @property
    def operator(self) -> Operator:
        return Operator(self.name, frozenset(self.roles))

    @property
    def may_change(self) -> bool:
        return ADMIN in self.roles

    @property
    def ends(self) -> float:
        """When it ends at the latest."""
        return self.started + ABSOLUTE_SECONDS

    def alive(self, at: float) -> bool:
        """Whether neither the idle nor the absolute time-out has passed."""
        return at - self.seen < IDLE_SECONDS and at < self.ends

    def renewed(self, at: float) -> "Session | None":
        """The session as the cookie should say it from now on; None while what it says is new enough."""
        return replace(self, seen=at) if at - self.seen >= _RENEW_SECONDS else None


class Ended:
    """The sessions that somebody signed out of, known to all instances at once."""

    def __init__(self, rows: ExpiringRows) -> None:
        self._rows = rows

    async def end(self, session: Session) -> None:
        """Raises StorageUnavailable: then nobody was signed out."""
        await self._rows.add(row_key(f"session {session.key}"), session.ends, now())

    async def includes(self, session: Session) -> bool:
        """Raises StorageUnavailable."""
        return await self._rows.holds(row_key(f"session {session.key}"), session.ends)


def row_key(name: str) -> str:
    """Under which something ended is remembered: storage and its logs never hold what a cookie holds."""
    return hashlib.sha256(name.encode()).hexdigest()


class Seal:
    """Seals sessions with a key derived from the pepper."""

    def __init__(self, pepper: Pepper, clock: Callable[[], float]) -> None:
        self._key = pepper.derived("portal session", pepper.newest)
        self._clock = clock

    def close(self, session: Session) -> str:
        return seal(self._key, asdict(session))

    def open(self, value: str) -> Session | None:
        """The session in a cookie's value; None when it was not sealed here, or has timed out."""
        fields = unseal(self._key, value)
        if fields is None:
            return None
        session = Session(**fields | {"roles": tuple(fields["roles"])})
        return session if session.alive(self._clock()) else None

    def form_token(self, session: Session) -> str:
        """What every form of this session carries, so that no other site can send one (CSRF)."""
        return hmac.digest(self._key, f"form {session.key}".encode(), hashlib.sha256).hex()

    def accepts(self, session: Session, token: str) -> bool:
        return hmac.compare_digest(self.form_token(session).encode(), token.encode("utf-8", "surrogatepass"))
