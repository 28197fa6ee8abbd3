from datetime import datetime, timedelta
from typing import Literal

from gateway.audit import AuditTrail, By, Change
from gateway.errors import StorageUnavailable
from gateway.registry.models import Model, now
from gateway.registry.turns import Turns
from gateway.secrets import SecretMissing, SecretStore, SecretsUnavailable
from gateway.settings import Settings
from gateway.tokens.keys import ACTIVATION_DELAY, SIGNING_KEYS, KeyRing, SigningKey


class KeyView(Model):
    """A signing key without its private part. `waiting`: in the JWKS, but not signing yet; `retiring`: it only verifies
    the tokens it has signed.
    """

    kid: str
    state: Literal["waiting", "signing", "retiring", "retired"]
    activates: datetime
    retires: datetime | None = None


class SigningKeys:
    """The keys that access tokens are signed with. Every method raises StorageUnavailable when the secret store does
    not answer; those that change something raise Busy while another change is under way, which would undo it.
    """

    def __init__(self, settings: Settings, secrets: SecretStore, trail: AuditTrail, turns: Turns) -> None:
        self._token_lifetime = timedelta(seconds=settings.token_lifetime_seconds)
        self._secrets = secrets
        self._trail = trail
        self._turns = turns

    async def list(self) -> tuple[KeyView, ...]:
        """In the order of their activation."""
        return _views(await self._ring(), now())

    async def rotate(self, by: By) -> tuple[KeyView, ...]:
        """Make a new key. It signs as soon as every instance and verifier has had the time to see it; the keys before
        it retire when the last token they signed has expired.
        """
        async with self._turns.turn(SIGNING_KEYS):
            ring, at = await self._ring(), now()
            fresh = ring.rotated(at, delay=ACTIVATION_DELAY, token_lifetime=self._token_lifetime)
            return await self._save(by, "key.rotate", ring, fresh, at)

    async def retire(self, by: By, kid: str) -> tuple[KeyView, ...]:
        """Stop accepting what a key has signed, at once: every token it signed is refused within a minute. For a key
        that leaked. Raises Unknown, and Invalid for the only key that signs.
        """
        async with self._turns.turn(SIGNING_KEYS):
            ring, at = await self._ring(), now()
            return await self._save(by, "key.retire", ring, ring.without(kid, at), at)

    async def _save(self, by: By, action: str, before: KeyRing, after: KeyRing, at: datetime) -> tuple[KeyView, ...]:
        change = Change(action, before=_facts(before, at), after=_facts(after, at))
        async with self._trail.recorded(by, change):
            try:
                await self._secrets.set(SIGNING_KEYS, str(after))
            except SecretsUnavailable as error:
                raise StorageUnavailable(str(error)) from error
        return _views(after, at)

    async def _ring(self) -> KeyRing:
        try:
            return KeyRing.parse(await self._secrets.get(SIGNING_KEYS))
        except (SecretMissing, SecretsUnavailable) as error:
            raise StorageUnavailable(str(error)) from error


def _views(ring: KeyRing, at: datetime) -> tuple[KeyView, ...]:
    return tuple(
        KeyView(kid=key.kid, state=_state(ring, key, at), activates=key.activates, retires=key.retires)
        for key in ring.keys
    )


def _state(ring: KeyRing, key: SigningKey, at: datetime) -> Literal["waiting", "signing", "retiring", "retired"]:
    if key.retired(at):
        return "retired"
    if key.activates > at:
        return "waiting"
    return "signing" if ring.signing(at) is key else "retiring"


def _facts(ring: KeyRing, at: datetime) -> dict[str, str]:
    return {view.kid: view.state for view in _views(ring, at)}
