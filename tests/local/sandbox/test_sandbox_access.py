from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from local.sandbox import OAuthAccess
from local.sandbox.access import TokenIssuer, TokenRequestError
from local.sandbox.outcomes import FhirError
from tests.local.sandbox.asgi_client import Client

_ACCESS = OAuthAccess("/token", "gate", "open:sesame", 300)
_POSTED = {"grant_type": "client_credentials", "client_id": "gate", "client_secret": "open:sesame"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _bearer(response: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {response['access_token']}"}


def test_posted_and_basic_credentials_give_different_live_tokens() -> None:
    issuer = TokenIssuer(_ACCESS)
    basic = "Basic " + b64encode(b"gate:open%3Asesame").decode()
    posted = issuer.issue(_POSTED, "")
    by_header = issuer.issue({"grant_type": "client_credentials"}, basic)
    assert posted["access_token"] != by_header["access_token"]
    assert (posted["token_type"], posted["expires_in"]) == ("Bearer", 300)
    issuer.check(_bearer(posted), "Patient")
    issuer.check(_bearer(by_header), "Patient")


def test_a_token_dies_after_its_lifetime() -> None:
    clock = Clock()
    issuer = TokenIssuer(_ACCESS, clock)
    headers = _bearer(issuer.issue(_POSTED, ""))
    clock.now += 299
    issuer.check(headers, "Patient")
    clock.now += 1
    with pytest.raises(FhirError) as refusal:
        issuer.check(headers, "Patient")
    assert refusal.value.status == 401
    assert 'error="invalid_token"' in refusal.value.headers["WWW-Authenticate"]


def test_a_scope_limits_the_types() -> None:
    issuer = TokenIssuer(_ACCESS)
    headers = _bearer(issuer.issue(_POSTED | {"scope": "system/Patient.read system/Location.rs"}, ""))
    issuer.check(headers, "Location")
    with pytest.raises(FhirError) as refusal:
        issuer.check(headers, "Observation")
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    ("change", "authorization", "status", "error"),
    [
        ({"client_secret": "wrong"}, "", 401, "invalid_client"),
        ({"client_id": "other"}, "", 401, "invalid_client"),
        ({"grant_type": "password"}, "", 400, "unsupported_grant_type"),
        ({"scope": "everything"}, "", 400, "invalid_scope"),
        ({}, "Basic Z2F0ZTpvcGVu", 400, "invalid_request"),
        ({}, "Basic ***", 401, "invalid_client"),
    ],
)
def test_token_requests_that_fail(change: dict[str, str], authorization: str, status: int, error: str) -> None:
    with pytest.raises(TokenRequestError) as failure:
        TokenIssuer(_ACCESS).issue(_POSTED | change, authorization)
    assert (failure.value.status, failure.value.error) == (status, error)


async def test_token_endpoint_over_http(anonymous: Callable[[str], Client]) -> None:
    riverbend = anonymous("riverbend")
    refused = await riverbend.form("/oauth2/token", "grant_type=client_credentials&client_id=x&client_secret=y")
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert refused.headers["cache-control"] == "no-store"
    assert (await riverbend.send("POST", "/oauth2/token", b"{}")).json["error"] == "invalid_request"


@pytest.mark.parametrize(("hospital", "scheme"), [("riverbend", "Bearer"), ("northfield", "ApiKey")])
async def test_guarded_hospitals_ask_for_credentials(
    anonymous: Callable[[str], Client], hospital: str, scheme: str
) -> None:
    client = anonymous(hospital)
    for url in ("Patient", "Patient/nobody", "Starship"):
        reply = await client.get(url)
        assert reply.status == 401
        assert reply.headers["www-authenticate"].startswith(scheme)
        assert reply.json["issue"][0]["code"] == "login"


async def test_a_wrong_key_is_refused(anonymous: Callable[[str], Client]) -> None:
    assert (await anonymous("northfield").get("Patient", x_api_key="guess")).status == 401


@pytest.mark.parametrize("hospital", ["lakeside", "northfield", "riverbend"])
async def test_metadata_is_open(anonymous: Callable[[str], Client], hospital: str) -> None:
    assert (await anonymous(hospital).get("metadata")).status == 200
