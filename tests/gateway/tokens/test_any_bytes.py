"""Whatever bytes are sent, the answer is one of the standard's, and never a token without the right credential."""

import base64
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.worker.client import ClientResponse
from tests.gateway.tokens.harness import ASSERTION_TYPE, FORM, TENANT, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

_examples = settings(
    max_examples=150,
    deadline=None,
    # One app serves every example on purpose: they change nothing in it but the count of failures.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_ERRORS = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "temporarily_unavailable",
}
_NAMES = (
    "grant_type",
    "grant-type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "token",
)
_GUID = "0b7b5f0e-6a4f-4c0e-9d3e-5b6f0c1d2e3f"
_LIKELY = ("client_credentials", TENANT, _GUID, ASSERTION_TYPE, "system/*.read", "a.b.c", "eyJhbGciOiJub25lIn0.e30.")
_value = st.one_of(st.text(max_size=60), st.sampled_from(_LIKELY))
# What an HTTP server lets through in a header.
_header = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)
_path = st.sampled_from(["/oauth2/token", "/oauth2/revoke"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_claims = st.dictionaries(
    st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "x"]),
    _json | st.sampled_from(_LIKELY),
    max_size=8,
)
_jose = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "b64"]),
    _json | st.sampled_from(["none", "HS256", "RS384", "ES384", "es384", "JWT"]),
    max_size=6,
)


def _refused(answer: ClientResponse) -> None:
    assert answer.status in {400, 401, 411, 413, 429}, answer
    content = orjson.loads(answer.body)
    assert content["error"] in _ERRORS
    assert "access_token" not in content
    assert (answer.status == 401) == (answer.header("www-authenticate") is not None)


@_examples
@given(body=st.binary(max_size=300), content_type=st.sampled_from([FORM, "", "text/plain"]) | _header, path=_path)
async def test_any_body(gateway: Gateway, body: bytes, content_type: str, path: str) -> None:
    _refused(await gateway.caller.request("POST", path, headers={"content-type": content_type}, body=body))


@_examples
@given(
    fields=st.dictionaries(st.sampled_from(_NAMES), _value),
    authorization=st.none()
    | _header
    | st.binary(max_size=60).map(lambda raw: f"Basic {base64.b64encode(raw).decode()}"),
    forwarded=_header,
    path=_path,
)
async def test_any_fields_and_headers(
    gateway: Gateway, fields: dict[str, str], authorization: str | None, forwarded: str, path: str
) -> None:
    headers = {"content-type": FORM, "x-forwarded-for": forwarded, "x-request-id": forwarded}
    if authorization is not None:
        headers["authorization"] = authorization
    body = urlencode(fields, errors="surrogatepass").encode()
    _refused(await gateway.caller.request("POST", path, headers=headers, body=body))


@_examples
@given(header=_jose, claims=_claims, signature=st.binary(max_size=100), ours=st.booleans())
async def test_any_assertion(
    gateway: Gateway, header: dict[str, object], claims: dict[str, object], signature: bytes, ours: bool
) -> None:
    if ours:
        claims = {**claims, "iss": gateway.many.client_id, "sub": gateway.many.client_id}
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=") for part in (_dumps(header), _dumps(claims), signature)]
    answer = await gateway.post(
        gateway.asserted(b".".join(parts).decode()), {"x-forwarded-for": f"10.1.{len(signature)}.1"}
    )
    _refused(answer)


@_examples
@given(value=_header | _value)
async def test_any_secret_of_a_client_that_exists(gateway: Gateway, value: str) -> None:
    _refused(await gateway.post(gateway.form(client_secret=value)))


@_examples
@given(scope=st.lists(_value, max_size=4).map(" ".join))
async def test_any_scope_yields_this_clients_tenant_or_nothing(gateway: Gateway, scope: str) -> None:
    answer = await gateway.post(gateway.form(scope=scope))
    content = orjson.loads(answer.body)
    if answer.status == 200:
        assert content["scope"].split()[0] == TENANT
    else:
        assert (answer.status, content["error"]) == (400, "invalid_scope")


@_examples
@given(token=_header)
async def test_any_bearer(gateway: Gateway, token: str) -> None:
    answer = await gateway.caller.request("GET", "/fhir/r4/Patient/1", headers={"authorization": f"Bearer {token}"})
    assert answer.status in {400, 401}
    assert (answer.header("www-authenticate") or "").startswith("Bearer ")


def _dumps(content: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(content)
    except TypeError:  # an integer beyond 64 bits
        return b"{}"
