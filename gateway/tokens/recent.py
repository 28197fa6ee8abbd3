"""Tokens that were signed a moment ago, for requests that would be given the same again (ADR 0013)."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple, Protocol

WINDOW_SECONDS = 5
_LIFETIMES_A_WINDOW = 100
_REMEMBERED = 4096
_USUAL_CHARACTERS = 500


class Grant(NamedTuple):
    """What a token says, but for its id and times; equal grants may share a token."""

    client_id: str
    credential: str
    tenant_id: str
    scope: str
    """As granted: the tenant first."""
    kid: str


@dataclass(frozen=True, slots=True)
class SignedToken:
    text: str
    jti: str
    issued: int
    expires: int


class KnownRevocations(Protocol):
    def known(self, jti: str) -> bool: ...


class RecentTokens:
    """The newest token of each grant, for `window` seconds and no more than a hundredth of a token's life. Times are
    whole seconds since 1970. Memory is bounded: grants of unusual length are not kept, nor more than some thousand.
    """

    def __init__(self, revocations: KnownRevocations, lifetime: int, window: int = WINDOW_SECONDS) -> None:
        self._revocations = revocations
        self._window = min(window, lifetime // _LIFETIMES_A_WINDOW)
        self._tokens: OrderedDict[Grant, SignedToken] = OrderedDict()

    def find(self, grant: Grant, at: int) -> SignedToken | None:
        """A token of this grant signed within the window, unless this instance knows that it was revoked."""
        token = self._tokens.get(grant)
        # A clock that was set back must not stretch the window.
        if token is None or not 0 <= at - token.issued < self._window:
            return None
        return None if self._revocations.known(token.jti) else token

    def keep(self, grant: Grant, token: SignedToken) -> None:
        if not self._window or len(grant.scope) > _USUAL_CHARACTERS:
            return
        self._tokens[grant] = token
        self._tokens.move_to_end(grant)
        if len(self._tokens) > _REMEMBERED:
            self._tokens.popitem(last=False)
        oldest = next(iter(self._tokens.values()))
        if token.issued - oldest.issued >= self._window:
            # One at most for each that is added: so the number falls with the load, and no request clears many.
            self._tokens.popitem(last=False)

    def __len__(self) -> int:
        return len(self._tokens)
