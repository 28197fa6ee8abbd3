import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from jwt.algorithms import ECAlgorithm

from gateway.errors import Invalid, StorageUnavailable, Unknown
from gateway.registry.cache import Cache, Source
from gateway.registry.models import now
from gateway.registry.secret_values import Pepper
from gateway.secrets import SecretMissing, SecretStore, SecretsUnavailable

SIGNING_KEYS = "signing-keys"
PEPPER = "pepper"

ALGORITHM = "ES256"
_REFRESH_SECONDS = 60
# Keys change rarely and nothing works without them: serve the known ones through any outage of the store.
STALE_SECONDS = 7 * 86_400
JWKS_MAX_AGE_SECONDS = 300
ACTIVATION_DELAY = timedelta(seconds=JWKS_MAX_AGE_SECONDS + 2 * _REFRESH_SECONDS)
"""How long a new key stands in the JWKS before it signs: longer than any instance keeps the old set, and any verifier
after that the set it got from such an instance.
"""
SKEW = timedelta(minutes=5)
"""By how much the clocks of two instances may differ."""


@dataclass(frozen=True)
class SigningKey:
    """A private key with the time from which it signs and, once rotated out, the time until which it verifies."""

    kid: str
    private_key: EllipticCurvePrivateKey
    activates: datetime
    retires: datetime | None = None

    @classmethod
    def generate(cls, activates: datetime) -> "SigningKey":
        private_key = generate_private_key(SECP256R1())
        # The date tells an operator which key is which; the coordinate's end makes it unique.
        coordinate = private_key.public_key().public_numbers().x
        kid = f"{activates:%Y%m%d}-{coordinate & 0xFFFFFFFF:08x}"
        return cls(kid, private_key, activates)

    @cached_property
    def public_key(self) -> EllipticCurvePublicKey:
        return self.private_key.public_key()

    @cached_property
    def public_jwk(self) -> dict[str, Any]:
        """RFC 7517, public members only."""
        return {
            **ECAlgorithm.to_jwk(self.public_key, as_dict=True),
            "kid": self.kid,
            "use": "sig",
            "alg": ALGORITHM,
        }

    def retired(self, at: datetime) -> bool:
        return self.retires is not None and self.retires <= at


class KeyRing:
    """Every signing key that is known, in the order of their activation."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self.keys = tuple(sorted(keys, key=lambda key: key.activates))
        self._by_kid = {key.kid: key for key in self.keys}

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """From the text form kept in the secret store. Raises ValueError when it is none."""
        keys = []
        for entry in json.loads(text)["keys"]:
            private_key = ECAlgorithm.from_jwk(entry["jwk"])
            if not isinstance(private_key, EllipticCurvePrivateKey):
                raise ValueError("a signing key has no private part")  # noqa: TRY004  # the value is wrong, not a type
            retires = entry.get("retires")
            keys.append(
                SigningKey(
                    entry["kid"],
                    private_key,
                    datetime.fromisoformat(entry["activates"]),
                    datetime.fromisoformat(retires) if retires else None,
                )
            )
        return cls(keys)

    def __str__(self) -> str:
        entries = [
            {
                "kid": key.kid,
                "jwk": ECAlgorithm.to_jwk(key.private_key, as_dict=True),
                "activates": key.activates.isoformat(),
                **({"retires": key.retires.isoformat()} if key.retires else {}),
            }
            for key in self.keys
        ]
        return json.dumps({"keys": entries}, separators=(",", ":"))

    def __repr__(self) -> str:
        return f"KeyRing({[key.kid for key in self.keys]})"

    def signing(self, at: datetime) -> SigningKey:
        """The key that signs at that time: the newest active one. Raises LookupError when there is none."""
        for key in reversed(self.keys):
            if key.activates <= at and not key.retired(at):
                return key
        raise LookupError("no signing key is active")

    def verifying(self, kid: str, at: datetime) -> SigningKey | None:
        key = self._by_kid.get(kid)
        return None if key is None or key.retired(at) else key

    def jwks(self, at: datetime) -> dict[str, Any]:
        """RFC 7517 §5: keys that sign, will sign, or have signed tokens that may still be in use."""
        return {"keys": [key.public_jwk for key in self.keys if not key.retired(at)]}

    def rotated(self, at: datetime, *, delay: timedelta, token_lifetime: timedelta) -> "KeyRing":
        """With a new key that signs after `delay`; the others retire when the last token that one of them may have
        signed has ended.
        """
        fresh = SigningKey.generate(at + delay)
        retire_at = fresh.activates + token_lifetime + SKEW
        kept = [
            SigningKey(key.kid, key.private_key, key.activates, min(key.retires or retire_at, retire_at))
            for key in self.keys
            if not key.retired(at)
        ]
        return KeyRing([*kept, fresh])

    def without(self, kid: str, at: datetime) -> "KeyRing":
        """With that key retired now, for one that has become known to others: its tokens stop. Raises Unknown, and
        Invalid when no other key could sign at once.
        """
        if kid not in self._by_kid:
            raise Unknown("There is no signing key of that id.", field="kid")
        ring = KeyRing([replace(key, retires=at) if key.kid == kid else key for key in self.keys])
        try:
            ring.signing(at)
        except LookupError:
            raise Invalid(
                "This is the only key that signs: rotate first, and retire it once the new key signs.", field="kid"
            ) from None
        return ring


class Keys:
    """Signing keys and pepper from the secret store, read once and refreshed in the background every minute.

    Every method raises StorageUnavailable when they were never read and cannot be.
    """

    def __init__(self, store: SecretStore) -> None:
        self._store = store
        ttl, stale = _REFRESH_SECONDS, STALE_SECONDS
        ring, pepper = Source(SIGNING_KEYS, "secret"), Source(PEPPER, "secret")
        self._rings: Cache[KeyRing] = Cache(self._load_ring, ttl=ttl, stale=stale, size=1, source=ring)
        self._peppers: Cache[Pepper] = Cache(self._load_pepper, ttl=ttl, stale=stale, size=1, source=pepper)

    @property
    def caches(self) -> tuple[Cache[KeyRing], Cache[Pepper]]:
        return self._rings, self._peppers

    async def ring(self) -> KeyRing:
        hit = self._rings.fresh(SIGNING_KEYS)
        return hit[0] if hit is not None else await self._rings.get(SIGNING_KEYS)

    async def pepper(self) -> Pepper:
        hit = self._peppers.fresh(PEPPER)
        return hit[0] if hit is not None else await self._peppers.get(PEPPER)

    async def ensure(self) -> None:
        """Create what the secret store does not hold yet; an existing key or pepper is left alone."""
        try:
            await self._store.get(SIGNING_KEYS)
        except SecretMissing:
            # The first key waits for nobody: an instance whose clock is late must be able to sign with it as well.
            await self._store.set(SIGNING_KEYS, str(KeyRing([SigningKey.generate(now() - SKEW)])))
        try:
            await self._store.get(PEPPER)
        except SecretMissing:
            await self._store.set(PEPPER, str(Pepper.generate()))

    async def _load_ring(self, name: str) -> KeyRing:
        return KeyRing.parse(await self._read(name))

    async def _load_pepper(self, name: str) -> Pepper:
        return Pepper.parse(await self._read(name))

    async def _read(self, name: str) -> str:
        try:
            return await self._store.get(name)
        except (SecretMissing, SecretsUnavailable) as error:
            raise StorageUnavailable(str(error)) from error


def utc(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
