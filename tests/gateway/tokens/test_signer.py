import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from gateway.tokens.keys import KeyRing, SigningKey
from gateway.tokens.signer import NotOurs, read, sign

AT = datetime(2026, 1, 1, tzinfo=UTC)
KEY, OTHER = SigningKey.generate(AT), SigningKey.generate(AT)
RING = KeyRing([KEY])
CLAIMS = {"sub": "someone", "text": "Ärztin"}
HEADER = {"alg": "ES256", "kid": KEY.kid, "typ": "at+jwt"}
TOKEN = sign(CLAIMS, KEY)


def _encoded(header: object) -> str:
    return urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


def _refused(text: str, ring: KeyRing = RING, at: datetime = AT) -> bool:
    try:
        read(text, ring, at)
    except NotOurs:
        return True
    return False


def test_another_implementation_verifies_what_is_signed() -> None:
    for number in range(300):  # so many that a number of the signature starts with a zero byte
        claims = {"sub": "someone", "number": number, "text": "Ärztin"}
        token = sign(claims, KEY)
        assert jwt.decode(token, jwt.PyJWK(KEY.public_jwk).key, algorithms=["ES256"]) == claims
        assert jwt.get_unverified_header(token) == HEADER
        assert read(token, RING, AT) == (claims, KEY)


@given(st.data())
def test_no_character_of_a_token_can_be_changed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN) - 1))
    other = data.draw(st.characters(max_codepoint=0x2FF).filter(lambda character: character != TOKEN[at]))
    assert _refused(TOKEN[:at] + other + TOKEN[at + 1 :])


@given(st.data())
def test_nothing_can_be_put_into_a_token_or_taken_out(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(TOKEN)))
    assert _refused(TOKEN[:at] + data.draw(st.text(min_size=1, max_size=3)) + TOKEN[at:])
    assert _refused(TOKEN[: data.draw(st.integers(0, len(TOKEN) - 1))])


@given(st.text(max_size=80))
def test_no_text_is_an_error_of_another_kind(text: str) -> None:
    assert _refused(text)


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "typ": "JWT"},
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "HS256"},
        {**HEADER, "kid": OTHER.kid},
        {**HEADER, "kid": ["x"]},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "jwk": OTHER.public_jwk},
        {"alg": "ES256", "typ": "at+jwt"},
        [HEADER],
        "text",
    ],
)
def test_only_the_header_of_this_service_will_do(header: Any) -> None:  # noqa: ANN401  # any JSON
    _, payload, signature = TOKEN.split(".")
    assert _refused(f"{_encoded(header)}.{payload}.{signature}")
    # Signed by the right key, which makes it no better.
    signed = f"{_encoded(header)}.{payload}"
    r, s = decode_dss_signature(KEY.private_key.sign(signed.encode(), ECDSA(SHA256())))
    assert _refused(f"{signed}.{urlsafe_b64encode(r.to_bytes(32) + s.to_bytes(32)).decode().rstrip('=')}")


def test_a_key_outside_the_ring_or_retired_signs_nothing() -> None:
    assert _refused(sign(CLAIMS, OTHER))
    retired = KeyRing([SigningKey(KEY.kid, KEY.private_key, AT, AT + timedelta(hours=1))])
    assert read(TOKEN, retired, AT) is not None
    assert _refused(TOKEN, retired, AT + timedelta(hours=1))


def test_a_signature_of_another_key_under_this_keys_name() -> None:
    other = SigningKey(KEY.kid, OTHER.private_key, AT)
    assert _refused(sign(CLAIMS, other))
    assert read(sign(CLAIMS, other), KeyRing([other]), AT) == (CLAIMS, other)
