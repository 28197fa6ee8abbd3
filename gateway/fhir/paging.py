"""Addresses of further pages: the upstream's link, sealed, as a parameter of a short address of the gateway."""

import os
import time
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import BadRequest, PageExpired
from gateway.fhir.link_store import LinkStore
from gateway.registry import Tenant
from gateway.tokens import Keys
from gateway.versions import FhirVersion

PARAMETER = "_page"
LIFE_SECONDS = 3600
_PURPOSE = "page links"
_NONCE_BYTES = 12
_TIME_BYTES = 4
# Longer ones are kept in Table Storage: the app's HTTP stack and hosts in between are only sure of about 2,000
# characters of URL.
LONGEST_TOKEN = 1200
_STORED = "s."
_LARGEST_LINK = 60_000


class PageLinks:
    """Seals and opens links, with a key derived from the pepper: they survive restarts, work on every instance, and
    their content (patients' ids, a server's session) is readable to nobody else.

    A link is bound to tenant, face and resource type: another token for the same tenant may follow it, as far as its
    scope reaches the type.
    """

    def __init__(self, keys: Keys, store: LinkStore, *, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._store = store
        self._clock = clock

    async def seal(self, tenant: Tenant, face: FhirVersion, resource_type: str, url: str) -> str:
        """A URL-safe token of at most `LONGEST_TOKEN` characters. Raises StorageUnavailable."""
        pepper = await self._keys.pepper()
        version = pepper.newest
        expiry = int(self._clock() + LIFE_SECONDS).to_bytes(_TIME_BYTES)
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(pepper.derived(_PURPOSE, version))
        bound = expiry + _bound_to(tenant, face, resource_type)
        sealed = expiry + nonce + cipher.encrypt(nonce, _deflate(url, tenant.fhir_url), bound)
        token = f"{version}.{urlsafe_b64encode(sealed).rstrip(b'=').decode()}"
        if len(token) <= LONGEST_TOKEN:
            return token
        return _STORED + await self._store.put(token, self._clock())

    async def open(self, tenant: Tenant, face: FhirVersion, resource_type: str, token: str) -> str:
        """The link in a token. Raises PageExpired, BadRequest when it is not one for this tenant, face and type, and
        StorageUnavailable.
        """
        if token.startswith(_STORED):
            kept = await self._store.get(token.removeprefix(_STORED))
            if kept is None:
                raise PageExpired
            token = kept
        version, _, text = token.partition(".")
        pepper = await self._keys.pepper()
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            cipher = AESGCM(pepper.derived(_PURPOSE, version))
            expiry, nonce = sealed[:_TIME_BYTES], sealed[_TIME_BYTES : _TIME_BYTES + _NONCE_BYTES]
            bound = expiry + _bound_to(tenant, face, resource_type)
            packed = cipher.decrypt(nonce, sealed[_TIME_BYTES + _NONCE_BYTES :], bound)
        except (ValueError, KeyError, InvalidTag):
            raise BadRequest("This page address is not one of yours: search again.") from None
        if int.from_bytes(expiry) < self._clock():
            raise PageExpired
        try:
            return _inflate(packed, tenant.fhir_url)
        except zlib.error:
            # The tenant's server has moved since.
            raise PageExpired from None


def _bound_to(tenant: Tenant, face: FhirVersion, resource_type: str) -> bytes:
    return f"|{tenant.tenant_id}|{face}|{resource_type}".encode()


def _deflate(url: str, fhir_url: str) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_dictionary(fhir_url))
    return zlib.crc32(_dictionary(fhir_url)).to_bytes(4) + packer.compress(url.encode()) + packer.flush()


def _inflate(packed: bytes, fhir_url: str) -> str:
    if packed[:4] != zlib.crc32(_dictionary(fhir_url)).to_bytes(4):
        raise zlib.error("made with another dictionary")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_dictionary(fhir_url))
    return unpacker.decompress(packed[4:], _LARGEST_LINK).decode()


def _dictionary(fhir_url: str) -> bytes:
    """What links usually hold: a change of this text makes the links that are out in the world expire."""
    words = "#type=&offset=&patient=&category=vital-signs&_count=&_sort=-date&_total=accurate"
    return f"{words}?_getpages=&_getpagesoffset=&_bundletype=searchset&ct={fhir_url}/".encode()
