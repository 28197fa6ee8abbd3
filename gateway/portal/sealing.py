"""What a browser keeps for the portal and can neither read nor change: AES-GCM with a key of the purpose's own."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


def seal(key: bytes, fields: Mapping[str, object]) -> str:
    """Base64url without padding: the Functions host percent-encodes everything else in a cookie."""
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(key).encrypt(nonce, orjson.dumps(fields), None)
    return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()


def unseal(key: bytes, value: str) -> dict[str, Any] | None:
    """The fields of a value; None when it was not sealed with this key."""
    try:
        raw = urlsafe_b64decode(value + "=" * (-len(value) % 4))
        fields: dict[str, Any] = orjson.loads(AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], None))
    except (ValueError, InvalidTag):
        return None
    return fields
