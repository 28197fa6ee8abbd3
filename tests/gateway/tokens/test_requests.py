"""The table: what is sent to the authorization server, and the status, error code and headers that come back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import jwt
import orjson
import pytest

from gateway.registry.models import now
from gateway.tokens.recent import WINDOW_SECONDS
from local.worker.client import ClientResponse
from tests.gateway.tokens.harness import (
    DISABLED_TENANT,
    FORM,
    OTHER_TENANT,
    STRANGER,
    TENANT,
    UNKNOWN_TENANT,
    Gateway,
    basic,
    claims_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN_CLIENT = "0b7b5f0e-6a4f-4c0e-9d3e-5b6f0c1d2e3f"
WRONG = "pgw_" + "x" * 43
CHALLENGE = {"www-authenticate": 'Basic realm="token", charset="UTF-8"'}
NO_STORE = {"content-type": "application/json", "cache-control": "no-store", "pragma": "no-cache"}

type Form = dict[str, str] | str


@dataclass
class Case:
    """What one request expects; `form` is made when the client's secret is known."""

    form: Callable[[Gateway], Form]
    status: int
    error: str = ""
    headers: Callable[[Gateway], dict[str, str]] = lambda _: {}
    method: str = "POST"
    path: str = "/oauth2/token"
    sees: dict[str, str] = field(default_factory=dict)
    scope: str = TENANT
    chunked: bool = False


def _basic(g: Gateway) -> dict[str, str]:
    return {"authorization": basic(g.app.client_id, g.app.secret)}


def _without(form: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in form.items() if name not in names}


def _only_grant(g: Gateway) -> Form:
    return _without(g.form(), "client_id", "client_secret")


def _right(g: Gateway) -> Form:
    return g.form()


def _expired(g: Gateway) -> Form:
    at = int(now().timestamp())
    return g.asserted(g.assertion(exp=at - 1, iat=at - 200))


def _by_stranger(g: Gateway) -> Form:
    claims = claims_of(g.assertion())
    return g.asserted(jwt.encode(claims, STRANGER, "ES384", headers={"kid": "es384"}))


def _by_secret(g: Gateway) -> Form:
    return g.asserted(jwt.encode(claims_of(g.assertion()), g.many.secret, "HS256", headers={"kid": "es384"}))


def _unsigned(g: Gateway) -> Form:
    return g.asserted(jwt.encode(claims_of(g.assertion()), "", "none"))


def _later(seconds: int) -> int:
    return int(now().timestamp()) + seconds


CLIENT = "invalid_client"
REQUEST = "invalid_request"
SCOPE = "invalid_scope"

CASES: dict[str, Case] = {
    # RFC 6749 §4.4, contract §3: what gets a token
    "post": Case(_right, 200),
    "the app's other spelling": Case(
        lambda g: {**_without(g.form(), "grant_type"), "grant-type": "client_credentials"}, 200
    ),
    "charset in the content type": Case(_right, 200, headers=lambda _: {"content-type": f"{FORM}; charset=utf-8"}),
    "content type in upper case": Case(_right, 200, headers=lambda _: {"content-type": FORM.upper()}),
    "basic": Case(_only_grant, 200, headers=_basic),
    "basic, scheme in lower case": Case(
        _only_grant, 200, headers=lambda g: {"authorization": _basic(g)["authorization"].replace("Basic", "basic")}
    ),
    "basic, form encoded as §2.3.1 says": Case(
        _only_grant,
        200,
        headers=lambda g: {"authorization": basic(quote_plus(g.app.client_id), quote(g.app.secret, safe=""))},
    ),
    "basic, and the same client_id in the body": Case(
        lambda g: _without(g.form(), "client_secret"), 200, headers=_basic
    ),
    "client id in upper case": Case(lambda g: g.form(client_id=g.app.client_id.upper()), 200),
    "tenant in upper case": Case(lambda g: g.form(scope=TENANT.upper()), 200),
    "tenant with its prefix": Case(lambda g: g.form(scope=f"tenant:{TENANT}"), 200),
    "tenant named twice": Case(lambda g: g.form(scope=f"{TENANT} tenant:{TENANT}"), 200),
    "no scope, one tenant": Case(lambda g: _without(g.form(), "scope"), 200),
    "empty scope, one tenant": Case(lambda g: g.form(scope=""), 200),
    "other scopes are left out": Case(lambda g: g.form(scope=f"openid {TENANT} user/*.read"), 200),
    "SMART v1 scope": Case(
        lambda g: g.form(scope=f"{TENANT} system/Patient.read"), 200, scope=f"{TENANT} system/Patient.read"
    ),
    "SMART v2 scope": Case(
        lambda g: g.form(scope=f"system/Patient.rs {TENANT}"), 200, scope=f"{TENANT} system/Patient.rs"
    ),
    "unknown parameters are ignored (§3.2)": Case(lambda g: g.form(resource="x"), 200),
    "a parameter without a value is as good as none (§3.2)": Case(lambda g: urlencode(g.form()) + "&code=", 200),
    "plus and percent in the form": Case(
        lambda g: urlencode(g.form(scope=f"openid {TENANT}")).replace("client", "%63lient"), 200
    ),
    # RFC 7523, SMART Backend Services
    "assertion, ES384": Case(lambda g: g.asserted(g.assertion("es384")), 200),
    "assertion, RS384": Case(lambda g: g.asserted(g.assertion("rs384")), 200),
    "assertion, ES256": Case(lambda g: g.asserted(g.assertion("es256")), 200),
    "assertion for the issuer": Case(lambda g: g.asserted(g.assertion(aud="https://gateway.example")), 200),
    "assertion for a list of audiences": Case(
        lambda g: g.asserted(g.assertion(aud=["https://gateway.example/oauth2/token"])), 200
    ),
    "assertion, and its client_id": Case(lambda g: g.asserted(g.assertion(), client_id=g.many.client_id), 200),
    "assertion, and another client_id": Case(
        lambda g: g.asserted(g.assertion(), client_id=g.app.client_id), 401, CLIENT
    ),
    "assertion without kid": Case(lambda g: g.asserted(g.assertion(header={"kid": None})), 200),
    "assertion with an unknown kid": Case(lambda g: g.asserted(g.assertion(header={"kid": "none"})), 401, CLIENT),
    "assertion that expired": Case(_expired, 401, CLIENT),
    "assertion that lives for ten minutes": Case(lambda g: g.asserted(g.assertion(exp=_later(600))), 401, CLIENT),
    "assertion without exp": Case(lambda g: g.asserted(g.assertion(exp=None)), 401, CLIENT),
    "assertion with exp as text": Case(lambda g: g.asserted(g.assertion(exp="soon")), 401, CLIENT),
    "assertion without jti": Case(lambda g: g.asserted(g.assertion(jti=None)), 401, CLIENT),
    "assertion with a number as jti": Case(lambda g: g.asserted(g.assertion(jti=7)), 401, CLIENT),
    "assertion from the future": Case(lambda g: g.asserted(g.assertion(nbf=_later(120))), 401, CLIENT),
    "assertion for another server": Case(
        lambda g: g.asserted(g.assertion(aud="https://elsewhere.example")), 401, CLIENT
    ),
    "assertion without aud": Case(lambda g: g.asserted(g.assertion(aud=None)), 401, CLIENT),
    "assertion whose iss is not its sub": Case(lambda g: g.asserted(g.assertion(sub=g.app.client_id)), 401, CLIENT),
    "assertion of an unknown client": Case(
        lambda g: g.asserted(g.assertion(iss=UNKNOWN_CLIENT, sub=UNKNOWN_CLIENT)), 401, CLIENT
    ),
    "assertion of a client without keys": Case(
        lambda g: g.asserted(g.assertion(iss=g.app.client_id, sub=g.app.client_id)), 401, CLIENT
    ),
    "assertion signed by a stranger": Case(_by_stranger, 401, CLIENT),
    "assertion signed with the secret": Case(_by_secret, 401, CLIENT),
    "assertion without a signature": Case(_unsigned, 401, CLIENT),
    "assertion that is none": Case(lambda g: g.asserted("a.b.c"), 401, CLIENT),
    "assertion of an unknown type": Case(
        lambda g: g.asserted(g.assertion(), client_assertion_type="saml2-bearer"), 400, REQUEST
    ),
    "assertion type without an assertion": Case(lambda g: _without(g.asserted("x"), "client_assertion"), 400, REQUEST),
    # Who are you?
    "no credential": Case(_only_grant, 401, CLIENT),
    "secret without client_id": Case(lambda g: _without(g.form(), "client_id"), 401, CLIENT),
    "client_id without secret": Case(lambda g: _without(g.form(), "client_secret"), 401, CLIENT),
    "wrong secret": Case(lambda g: g.form(client_secret=WRONG), 401, CLIENT),
    "secret in another case": Case(lambda g: g.form(client_secret=g.app.secret.swapcase()), 401, CLIENT),
    "another client's secret": Case(lambda g: g.form(client_secret=g.many.secret), 401, CLIENT),
    "unknown client": Case(lambda g: g.form(client_id=UNKNOWN_CLIENT), 401, CLIENT),
    "client_id that is no GUID": Case(lambda g: g.form(client_id="patients"), 401, CLIENT),
    "basic, wrong secret": Case(_only_grant, 401, CLIENT, lambda g: {"authorization": basic(g.app.client_id, WRONG)}),
    "basic, colons in the secret": Case(
        _only_grant, 401, CLIENT, lambda g: {"authorization": basic(g.app.client_id, f"a:{g.app.secret}")}
    ),
    "basic without a colon": Case(_only_grant, 401, CLIENT, lambda _: {"authorization": "Basic YWJj"}),
    "basic that is not base64": Case(_only_grant, 401, CLIENT, lambda _: {"authorization": "Basic ???"}),
    "basic that is not UTF-8": Case(_only_grant, 401, CLIENT, lambda _: {"authorization": "Basic /zr/"}),
    "another scheme": Case(_only_grant, 401, CLIENT, lambda _: {"authorization": "Bearer abc"}),
    "basic and post at once": Case(_right, 400, REQUEST, _basic),
    "basic and an assertion at once": Case(lambda g: g.asserted(g.assertion()), 400, REQUEST, _basic),
    "post and an assertion at once": Case(lambda g: {**g.form(), **g.asserted(g.assertion())}, 400, REQUEST),
    "basic, and another client_id in the body": Case(
        lambda g: {**dict(_without(g.form(), "client_secret")), "client_id": UNKNOWN_CLIENT}, 400, REQUEST, _basic
    ),
    # What do you want?
    "no grant_type": Case(lambda g: _without(g.form(), "grant_type"), 400, REQUEST),
    "password grant": Case(lambda g: g.form(grant_type="password"), 400, "unsupported_grant_type"),
    "refresh_token grant": Case(lambda g: g.form(grant_type="refresh_token"), 400, "unsupported_grant_type"),
    "unknown tenant": Case(lambda g: g.form(scope=UNKNOWN_TENANT), 400, SCOPE),
    "disabled tenant": Case(lambda g: g.form(scope=DISABLED_TENANT), 400, SCOPE),
    "a tenant of others": Case(lambda g: g.form(scope=OTHER_TENANT), 400, SCOPE),
    "two tenants": Case(lambda g: g.form(scope=f"{TENANT} {OTHER_TENANT}"), 400, SCOPE),
    "no tenant, several possible": Case(lambda g: _without(g.asserted(g.assertion()), "scope"), 400, SCOPE),
    "SMART scopes that only write": Case(lambda g: g.form(scope=f"{TENANT} system/Patient.write"), 400, SCOPE),
    "SMART scopes that are malformed": Case(lambda g: g.form(scope=f"{TENANT} system/Patient"), 400, SCOPE),
    "SMART scopes that grant nothing here": Case(lambda g: g.form(scope=f"{TENANT} system/Patient.cud"), 400, SCOPE),
    # How do you ask?
    "grant_type twice": Case(lambda g: urlencode(g.form()) + "&grant_type=client_credentials", 400, REQUEST),
    "client_id twice": Case(lambda g: urlencode(g.form()) + f"&client_id={g.app.client_id}", 400, REQUEST),
    "an unknown parameter twice": Case(lambda g: urlencode(g.form()) + "&x=1&x=2", 400, REQUEST),
    "JSON": Case(_right, 400, REQUEST, lambda _: {"content-type": "application/json"}),
    "no content type": Case(_right, 400, REQUEST, lambda _: {"content-type": ""}),
    "multipart": Case(_right, 400, REQUEST, lambda _: {"content-type": "multipart/form-data; boundary=x"}),
    "not UTF-8": Case(lambda g: urlencode(g.form()) + "&x=%ff", 400, REQUEST),
    "too large": Case(lambda g: g.form(x="y" * 70_000), 413, REQUEST),
    "too many parameters": Case(lambda g: urlencode(g.form()) + "".join(f"&p{i}=1" for i in range(60)), 400, REQUEST),
    "empty body": Case(lambda _: "", 400, REQUEST),
    "chunked": Case(_right, 411, REQUEST, chunked=True),
    "GET": Case(lambda _: "", 405, REQUEST, method="GET", sees={"allow": "POST"}),
    "PUT": Case(_right, 405, REQUEST, method="PUT", sees={"allow": "POST"}),
    "DELETE": Case(lambda _: "", 405, REQUEST, method="DELETE", sees={"allow": "POST"}),
    "parameters in the query only": Case(
        lambda _: "", 400, REQUEST, path="/oauth2/token?grant_type=client_credentials"
    ),
    # RFC 6749 §4.1.2.1
    "authorize": Case(
        lambda _: "", 400, "unsupported_response_type", method="GET", path="/oauth2/authorize?response_type=code"
    ),
    # RFC 7009
    "revoke without a token": Case(_right, 400, REQUEST, path="/oauth2/revoke"),
    "revoke without a credential": Case(lambda _: {"token": "x"}, 401, CLIENT, path="/oauth2/revoke"),
    "revoke with a wrong secret": Case(
        lambda g: g.form(client_secret=WRONG, token="x"), 401, CLIENT, path="/oauth2/revoke"
    ),
    "revoke by GET": Case(lambda _: "", 405, REQUEST, method="GET", path="/oauth2/revoke", sees={"allow": "POST"}),
}


async def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
async def test_request(gateway: Gateway, name: str) -> None:
    case = CASES[name]
    form = case.form(gateway)
    body = (form if isinstance(form, str) else urlencode(form)).encode()
    headers = {"content-type": FORM, "x-forwarded-for": f"10.0.{len(name)}.{sum(map(ord, name)) % 250}"}
    sent: Any = [body] if case.chunked else body
    answer = await gateway.caller.request(
        case.method, case.path, headers={**headers, **case.headers(gateway)}, body=sent
    )
    assert answer.status == case.status, answer.body
    expected = {**NO_STORE, **(CHALLENGE if case.status == 401 else {}), **case.sees}
    assert {header: answer.header(header) for header in expected} == expected
    assert answer.header("x-request-id")
    content = orjson.loads(answer.body)
    if case.error:
        assert set(content) == {"error", "error_description"}
        assert content["error"] == case.error
        return
    assert set(content) == {"access_token", "token_type", "expires_in", "scope"}
    assert (content["token_type"], content["scope"]) == ("Bearer", case.scope)
    # An equal request of the last seconds may have drawn the token first.
    assert 3600 - WINDOW_SECONDS <= content["expires_in"] <= 3600
    assert claims_of(content["access_token"])["tenant"] == TENANT


async def test_head_has_the_status_and_no_body(gateway: Gateway) -> None:
    answer = await gateway.caller.request("HEAD", "/oauth2/token")
    assert (answer.status, answer.body) == (405, b"")


async def test_unknown_client_and_wrong_secret_get_the_very_same_answer(gateway: Gateway) -> None:
    wrong = await gateway.post(gateway.form(client_secret=WRONG))
    unknown = await gateway.post(gateway.form(client_id=UNKNOWN_CLIENT, client_secret=WRONG))
    odd = await gateway.post(gateway.form(client_id="no-guid", client_secret=WRONG))
    varying = {"x-request-id", "server-timing"}

    def shown(answer: ClientResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
        return answer.status, answer.body, [pair for pair in answer.headers if pair[0] not in varying]

    assert shown(wrong) == shown(unknown) == shown(odd)


async def test_unknown_client_and_wrong_secret_cost_the_same_hashes(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    pepper = await gateway.service.keys.pepper()
    counted: list[str] = []
    real = pepper._digest

    def counting(version: str, value: str) -> str:
        counted.append(version)
        return real(version, value)

    monkeypatch.setattr(pepper, "_digest", counting)
    costs = []
    for client_id in (gateway.app.client_id, UNKNOWN_CLIENT, "no-guid"):
        counted.clear()
        await gateway.post(gateway.form(client_id=client_id, client_secret=WRONG))
        costs.append(len(counted))
    assert costs == [1, 1, 1]
