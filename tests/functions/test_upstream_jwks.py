from uuid import uuid4

import orjson
import pytest

from tests.functions.harness import Gateway
from tests.gateway.upstream.keys import ec_key, pem

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUTH = {"kind": "private-key-jwt", "client_id": "gw", "key": "jwks-key", "alg": "ES384", "kid": "k1"}


async def test_the_public_keys_of_a_tenant_are_hosted(gateway: Gateway) -> None:
    await gateway.service.secrets.set("jwks-key", pem(ec_key()))
    tenant = await gateway.tenant("https://ehr.example.org/fhir", auth=AUTH)
    answer = await gateway.caller.request("GET", f"/oauth2/upstream-jwks/{tenant.upper()}")
    assert answer.status == 200
    assert answer.header("content-type") == "application/jwk-set+json"
    assert answer.header("cache-control") == "public, max-age=300"
    [key] = _keys(answer.body)
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}  # and no `d`
    assert (key["kid"], key["alg"], key["crv"]) == ("k1", "ES384", "P-384")


async def test_who_has_no_keys_looks_like_who_is_unknown(gateway: Gateway) -> None:
    plain = await gateway.tenant("https://ehr.example.org/fhir")
    disabled = await gateway.tenant("https://ehr.example.org/fhir", auth=AUTH, enabled=False)
    answers = [
        await gateway.caller.request("GET", f"/oauth2/upstream-jwks/{name}")
        for name in (plain, disabled, str(uuid4()), "no-guid")
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(404, b'{"error":"not_found"}')}


async def test_a_key_that_cannot_be_read_is_a_passing_failure(gateway: Gateway) -> None:
    tenant = await gateway.tenant("https://ehr.example.org/fhir", auth={**AUTH, "key": "nowhere"})
    answer = await gateway.caller.request("GET", f"/oauth2/upstream-jwks/{tenant}")
    assert answer.status == 503
    assert answer.header("retry-after")


def _keys(body: bytes) -> list[dict[str, str]]:
    keys: list[dict[str, str]] = orjson.loads(body)["keys"]
    return keys
