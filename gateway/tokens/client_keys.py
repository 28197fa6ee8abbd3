"""The public keys that clients have registered for `private_key_jwt` (RFC 7517), as a document or by address."""

import hashlib
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.errors import StorageUnavailable
from gateway.registry import Client
from gateway.registry.cache import Cache
from gateway.settings import Settings

ALGORITHMS = ("RS384", "ES384", "ES256")
MAX_DOCUMENT_BYTES = 65_536
_MAX_KEYS = 20
_LONGEST_KID = 128
_RSA_BITS = range(2048, 4097)
_PARSED = 512
_ADDRESSES = 1000
# An address that failed, or that lacked a key, is not asked again sooner than this.
_PAUSE_SECONDS = 5.0

type PublicKey = RSAPublicKey | EllipticCurvePublicKey
type Fetch = Callable[[str], Awaitable[bytes]]
"""Reads a document of at most MAX_DOCUMENT_BYTES from a public address. Raises StorageUnavailable."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    kid: str
    algorithm: str
    key: PublicKey
    credential: str
    """`key:KID:THUMBPRINT`, the thumbprint shortened: another key under the same kid is another credential."""


class ClientKeys:
    """A client's keys as they stand now: a key that leaves the document, or the document at the address, is gone
    within `CACHE_TTL_SECONDS`; while the address does not answer, the keys read last serve `CACHE_STALE_SECONDS` more.
    """

    def __init__(self, settings: Settings, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._documents: Cache[tuple[ClientKey, ...]] = Cache(
            self._load,
            ttl=settings.cache_ttl_seconds,
            stale=settings.cache_stale_seconds,
            size=_ADDRESSES,
            clock=clock,
        )
        self._not_before: dict[str, float] = {}
        self._failed: set[str] = set()

    async def of(self, client: Client) -> tuple[ClientKey, ...]:
        """Raises StorageUnavailable when the address of its keys does not answer."""
        own = parse_keys(orjson.dumps(client.jwks)) if client.jwks else ()
        if not client.jwks_uri:
            return own
        hit = self._documents.fresh(client.jwks_uri)
        return own + (hit[0] if hit is not None else await self._documents.get(client.jwks_uri))

    async def named(self, client: Client, kid: str | None, algorithm: str) -> tuple[ClientKey, ...]:
        """The keys that an assertion may be signed with. An unknown kid has the address read again, for a client that
        has just rotated its keys.
        """
        found = _matching(await self.of(client), kid, algorithm)
        uri = client.jwks_uri
        if found or not uri or self._not_before.get(uri, 0.0) > self._clock():
            return found
        try:
            found = _matching(await self._load(uri), kid, algorithm)
        except StorageUnavailable:
            return ()
        if found:
            # Only now: a stranger's made-up kid must not cost the client the keys that are known.
            self._documents.forget(uri)
        return found

    async def _load(self, uri: str) -> tuple[ClientKey, ...]:
        at = self._clock()
        if uri in self._failed and self._not_before[uri] > at:
            raise StorageUnavailable("a client's keys could not be read a moment ago")
        if len(self._not_before) >= _ADDRESSES:
            self._not_before.clear()
            self._failed.clear()
        self._not_before[uri] = at + _PAUSE_SECONDS
        self._failed.add(uri)
        try:
            keys = parse_keys(await self._fetch(uri))
        except ValueError as error:
            raise StorageUnavailable("a client's JWKS address holds no JWKS") from error
        self._failed.discard(uri)
        return keys


def _matching(keys: tuple[ClientKey, ...], kid: str | None, algorithm: str) -> tuple[ClientKey, ...]:
    return tuple(key for key in keys if key.algorithm == algorithm and (kid is None or key.kid == kid))


@lru_cache(maxsize=_PARSED)
def parse_keys(document: bytes) -> tuple[ClientKey, ...]:
    """The usable keys of a JWKS (RFC 7517 §5: others are ignored). Raises ValueError when it is none."""
    content: Any = orjson.loads(document)
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no JWKS: an object with a list of keys is needed")  # noqa: TRY004  # the value is wrong
    return tuple(key for entry in entries[:_MAX_KEYS] for key in _parse_key(entry))


def _parse_key(entry: Any) -> tuple[ClientKey, ...]:  # noqa: ANN401  # JSON from a stranger
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return ()
    public = {name: entry[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in entry}
    try:
        key = jwt.PyJWK(public, algorithm="RS384" if public.get("kty") == "RSA" else None).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return ()
    algorithm = _algorithm(key)
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return ()
    thumbprint = _thumbprint(public)
    kid = entry.get("kid", thumbprint)
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KID:
        return ()
    return (ClientKey(kid, algorithm, key, f"key:{kid}:{thumbprint[:16]}"),)


def _algorithm(key: object) -> str | None:
    if isinstance(key, RSAPublicKey):
        return "RS384" if key.key_size in _RSA_BITS else None
    if isinstance(key, EllipticCurvePublicKey):
        return {SECP256R1: "ES256", SECP384R1: "ES384"}.get(type(key.curve))
    return None


def _thumbprint(public: dict[str, Any]) -> str:
    """RFC 7638: SHA-256 over the required members in lexicographic order."""
    required = ("e", "kty", "n") if public["kty"] == "RSA" else ("crv", "kty", "x", "y")
    canonical = orjson.dumps({name: public[name] for name in required})
    return urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
