"""The gateway's own key pairs towards SMART Backend Services: assertions, and the key sets that check them."""

import base64
import hashlib
import time
from functools import lru_cache
from typing import Any
from uuid import uuid4

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.registry.models import PrivateKeyJwtAuth

_LIFE_SECONDS = 240  # SMART Backend Services: at most five minutes
# By how much this clock may be ahead of a server's: some refuse what was issued a second from now.
_SKEW_SECONDS = 30
# RFC 7638 §3.2: the members that make up a key's thumbprint.
_THUMBPRINT = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}
_LEAST_RSA_BITS = 2048

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KeyUnusable(ValueError):
    """The message says what is wrong with the key, and holds nothing of it."""


def client_assertion(auth: PrivateKeyJwtAuth, key_text: str, audience: str) -> str:
    """A signed JWT for one token request at `audience`, the token endpoint (RFC 7523 §3; SMART Backend Services).

    `key_text` is PEM, a JWK, or a JWK set whose first key signs. Raises KeyUnusable.
    """
    key, kid = private_keys(key_text)[0]
    fits = isinstance(key, rsa.RSAPrivateKey) if auth.alg == "RS384" else _is_p384(key)
    if not fits:
        raise KeyUnusable(f"the key does not fit {auth.alg}")
    now = int(time.time())
    claims = {
        "iss": auth.client_id,
        "sub": auth.client_id,
        "aud": audience,
        "jti": str(uuid4()),
        "iat": now - _SKEW_SECONDS,
        "exp": now + _LIFE_SECONDS,
    }
    return jwt.encode(claims, key, algorithm=auth.alg, headers={"kid": auth.kid or kid})


def public_key_set(auth: PrivateKeyJwtAuth, key_text: str) -> dict[str, Any]:
    """The RFC 7517 set of the public parts of every key in `key_text`: what the server's operator registers.

    While a key is rotated the secret holds a set of both, the new one first. Raises KeyUnusable.
    """
    keys = []
    for index, (key, own_kid) in enumerate(private_keys(key_text)):
        kid = auth.kid if auth.kid and index == 0 else own_kid
        alg = "RS384" if isinstance(key, rsa.RSAPrivateKey) else "ES384"
        keys.append({**_public(key), "kid": kid, "use": "sig", "alg": alg})
    return {"keys": keys}


@lru_cache(maxsize=64)
def private_keys(key_text: str) -> tuple[tuple[PrivateKey, str], ...]:
    """Keys and their ids; a key without id gets its RFC 7638 thumbprint. Raises KeyUnusable."""
    try:
        if key_text.lstrip().startswith("{"):
            document = orjson.loads(key_text)
            found = [(_from_jwk(each), each.get("kid")) for each in document.get("keys", [document])]
        else:
            found = [(load_pem_private_key(key_text.encode(), password=None), None)]
    except (ValueError, TypeError, KeyError, AttributeError, jwt.PyJWTError) as error:
        raise KeyUnusable("the key is neither PEM nor a JWK of a private key") from error
    keys = tuple((key, str(kid or thumbprint(_public(key)))) for key, kid in found if _is_usable(key))
    if not keys or len(keys) < len(found):
        raise KeyUnusable("the key must be RSA of 2048 bits or more, or EC P-384")
    return keys


def thumbprint(jwk: dict[str, Any]) -> str:
    members = {name: jwk[name] for name in _THUMBPRINT[jwk["kty"]]}
    digest = hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _from_jwk(jwk: dict[str, Any]) -> Any:  # noqa: ANN401  # a key of any kind
    return (RSAAlgorithm if jwk["kty"] == "RSA" else ECAlgorithm).from_jwk(jwk)


def _is_usable(key: object) -> bool:
    return (isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _LEAST_RSA_BITS) or _is_p384(key)


def _is_p384(key: object) -> bool:
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1)


def _public(key: PrivateKey) -> dict[str, Any]:
    # Made from the public key alone, so that no private member can slip through.
    if isinstance(key, rsa.RSAPrivateKey):
        document = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        document = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: document[name] for name in _THUMBPRINT[document["kty"]]}
