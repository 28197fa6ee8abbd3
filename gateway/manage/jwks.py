from typing import Any

import jwt

from gateway.errors import Invalid

_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def check_jwks(jwks: dict[str, Any]) -> None:
    """Raises Invalid, which names the field, unless this is a set of public keys (RFC 7517 §5)."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys:
        raise Invalid('jwks must be a JWK set: {"keys": [...]} with at least one key.', field="jwks")
    for number, key in enumerate(keys):
        field = f"jwks.keys.{number}"
        if not isinstance(key, dict):
            raise Invalid(f"{field} is no JSON object.", field=field)
        if _PRIVATE & key.keys():
            raise Invalid(f"{field} holds a private key: send only its public part, and make a new one.", field=field)
        try:
            jwt.PyJWK(key)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            raise Invalid(f"{field} is no public RSA or EC key.", field=field) from None
