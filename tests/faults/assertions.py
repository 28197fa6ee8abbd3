"""A client that proves its identity with signed assertions (RFC 7523)."""

import time
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

KEY = ec.generate_private_key(ec.SECP384R1())
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def key_set() -> dict[str, object]:
    """What the client registers."""
    public = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    return {"keys": [{name: public[name] for name in ("kty", "crv", "x", "y")} | {"kid": "one", "alg": "ES384"}]}


def signed(client_id: str, **claims: Any) -> str:  # noqa: ANN401  # any JSON value
    """A right assertion, with these claims changed."""
    content = {
        "iss": client_id,
        "sub": client_id,
        "aud": "http://gateway.example/oauth2/token",
        "jti": str(uuid4()),
        "exp": int(time.time()) + 200,
        **claims,
    }
    return jwt.encode(content, KEY, "ES384", headers={"kid": "one"})


def asserted(assertion: str) -> dict[str, str]:
    """The fields of a token request that carry it."""
    return {"client_assertion_type": _TYPE, "client_assertion": assertion}
