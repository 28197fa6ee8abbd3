"""Secrets of clients: 256 random bits, so a keyed hash is the right hash (ADR 0003)."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping

_PREFIX = "pgw_"
_FORMAT = "hmac-sha256"
HINT_LENGTH = len(_PREFIX) + 4


class Pepper:
    """The keys of the keyed hash, by version; new hashes use the newest, old ones still verify.

    Its text form, a secret in the secret store, is one `version:hex` per line, the newest last.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("a pepper needs at least one key")
        self._keys = dict(keys)
        self._newest = list(self._keys)[-1]
        self._derived: dict[tuple[str, str], bytes] = {}

    @classmethod
    def generate(cls) -> "Pepper":
        return cls({"1": secrets.token_bytes(32)})

    @classmethod
    def parse(cls, text: str) -> "Pepper":
        """Raises ValueError when `text` is not the form above."""
        pairs = (line.split(":", 1) for line in text.split())
        return cls({version: bytes.fromhex(key) for version, key in pairs})

    def __str__(self) -> str:
        return "\n".join(f"{version}:{key.hex()}" for version, key in self._keys.items())

    def __repr__(self) -> str:
        return f"Pepper(versions={list(self._keys)})"

    def hash(self, value: str) -> str:
        """`hmac-sha256$version$digest`, the only form in which a secret's value is stored."""
        return f"{_FORMAT}${self._newest}${self._digest(self._newest, value)}"

    @property
    def newest(self) -> str:
        """The version that new hashes are made with."""
        return self._newest

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version that still verifies, the newest last."""
        return tuple(self._keys)

    def derived(self, purpose: str, version: str) -> bytes:
        """A 32-byte key for another purpose, which reveals nothing of the pepper. Raises KeyError."""
        key = self._derived.get((purpose, version))
        if key is None:
            key = hmac.digest(self._keys[version], f"patients-gateway {purpose}".encode(), hashlib.sha256)
            self._derived[purpose, version] = key
        return key

    def hashes(self, value: str) -> list[bytes]:
        """Every form in which `value` may be stored, one for each version."""
        return [f"{_FORMAT}${version}${self._digest(version, value)}".encode() for version in self._keys]

    def matches(self, value: str, stored: str) -> bool:
        """Whether `stored` is the hash of `value`, in time that does not depend on either."""
        name, _, rest = stored.partition("$")
        version, _, digest = rest.partition("$")
        if name != _FORMAT or version not in self._keys:
            return False
        return hmac.compare_digest(self._digest(version, value), digest)

    def _digest(self, version: str, value: str) -> str:
        digest = hmac.digest(self._keys[version], value.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def new_secret_value() -> str:
    """`pgw_` and 43 URL-safe characters: 256 random bits."""
    return _PREFIX + secrets.token_urlsafe(32)
