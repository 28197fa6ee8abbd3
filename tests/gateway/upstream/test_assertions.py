import time
from urllib.parse import parse_qs

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.registry.models import PrivateKeyJwtAuth
from gateway.upstream import Upstream
from gateway.upstream.assertions import KeyUnusable, client_assertion, public_key_set, thumbprint
from tests.gateway.upstream.conftest import MemorySecrets, TenantOf
from tests.gateway.upstream.keys import ec_key, pem, rsa_key
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.server import emulate

TOKEN_URL = "https://ehr.example.org/oauth2/token"


def auth(**fields: object) -> PrivateKeyJwtAuth:
    return PrivateKeyJwtAuth.model_validate({"client_id": "gw", "key": "upstream-key", **fields})


def jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **members: str) -> dict[str, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        return {**RSAAlgorithm.to_jwk(key, as_dict=True), **members}
    return {**ECAlgorithm.to_jwk(key, as_dict=True), **members}


@pytest.mark.parametrize("alg", ["RS384", "ES384"])
@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_an_assertion_verifies_with_the_published_key(alg: str, form: str) -> None:
    key = rsa_key() if alg == "RS384" else ec_key()
    text = pem(key) if form == "pem" else orjson.dumps(jwk(key)).decode()
    assertion = client_assertion(auth(alg=alg), text, TOKEN_URL)
    [published] = public_key_set(auth(alg=alg), text)["keys"]
    header = jwt.get_unverified_header(assertion)
    assert (header["alg"], header["kid"], header["typ"]) == (alg, published["kid"], "JWT")
    assert published["alg"] == alg
    claims = jwt.decode(assertion, jwt.PyJWK(published), algorithms=[alg], audience=TOKEN_URL)
    assert claims["iss"] == claims["sub"] == "gw"
    assert claims["exp"] - time.time() <= 300
    # RFC 7519 §4.1.6: a server whose clock is half a minute late must not take it for one from the future.
    assert claims["iat"] <= time.time() - 30
    assert claims["exp"] - claims["iat"] <= 300
    assert len(claims["jti"]) >= 16


def test_every_assertion_has_its_own_id() -> None:
    text = pem(ec_key())
    ids = {
        jwt.decode(client_assertion(auth(alg="ES384"), text, TOKEN_URL), options={"verify_signature": False})["jti"]
        for _ in range(5)
    }
    assert len(ids) == 5


@pytest.mark.parametrize("key", [rsa_key(), ec_key()])
def test_only_public_members_are_published(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    [published] = public_key_set(auth(), orjson.dumps(jwk(key, kid="k1")).decode())["keys"]
    assert set(published) <= {"kty", "n", "e", "crv", "x", "y", "kid", "use", "alg"}
    assert published["kid"] == "k1"


def test_while_rotating_both_keys_are_published_and_the_first_signs() -> None:
    both = orjson.dumps({"keys": [jwk(rsa_key(), kid="new"), jwk(ec_key(), kid="old")]}).decode()
    assert [each["kid"] for each in public_key_set(auth(), both)["keys"]] == ["new", "old"]
    assert jwt.get_unverified_header(client_assertion(auth(), both, TOKEN_URL))["kid"] == "new"


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    # RFC 7638 §3.1, its example key and result.
    example = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV"
        "4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZH"
        "zu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a"
        "wapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29",
    }
    assert thumbprint(example) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        "{}",
        '{"keys":[]}',
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505  # to be refused
        orjson.dumps(RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True)).decode(),
    ],
    ids=["empty", "text", "no-jwk", "no-keys", "p256", "rsa1024", "public"],
)
def test_other_keys_are_refused(text: str) -> None:
    with pytest.raises(KeyUnusable):
        client_assertion(auth(), text, TOKEN_URL)


def test_a_key_that_does_not_fit_the_algorithm_is_refused() -> None:
    with pytest.raises(KeyUnusable, match="ES384"):
        client_assertion(auth(alg="ES384"), pem(rsa_key()), TOKEN_URL)


async def test_the_token_request_is_that_of_smart_backend_services(
    upstream: Upstream, secrets: MemorySecrets, tenant_of: TenantOf
) -> None:
    secrets.values["upstream-key"] = pem(ec_key())
    async with emulate(Behaviour(token=True)) as server:
        fields = auth(alg="ES384", kid="k7", token_url=server.token_url, scope="system/Patient.rs").model_dump()
        assert (await upstream.send(tenant_of(server, auth=fields), "GET", "Patient/p1", {})).status == 200
        form = parse_qs(server.token_requests[0].body.decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert form["scope"] == ["system/Patient.rs"]
    claims = jwt.decode(form["client_assertion"][0], ec_key().public_key(), ["ES384"], audience=server.token_url)
    assert claims["sub"] == "gw"
    assert jwt.get_unverified_header(form["client_assertion"][0])["kid"] == "k7"
