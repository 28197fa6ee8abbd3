from datetime import UTC, datetime

import jwt

from gateway.tokens.keys import SigningKey
from gateway.tokens.signer import sign

KEY = SigningKey.generate(datetime(2026, 1, 1, tzinfo=UTC))


def test_another_implementation_verifies_what_is_signed() -> None:
    for number in range(300):  # so many that a number of the signature starts with a zero byte
        claims = {"sub": "someone", "number": number, "text": "Ärztin"}
        token = sign(claims, KEY)
        assert jwt.decode(token, jwt.PyJWK(KEY.public_jwk).key, algorithms=["ES256"]) == claims
        assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt"}
