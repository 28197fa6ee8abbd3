"""MSAL itself runs; only its HTTP is answered here, since Entra cannot be started on a test machine."""

import json
from typing import Any

import jwt
import pytest

from gateway.errors import UpstreamBroken
from gateway.registry.models import EntraAuth
from gateway.upstream.entra import entra_scope, grant_by_application
from gateway.upstream.grants import CredentialRefused
from tests.gateway.upstream.keys import certificate_pem, rsa_key

DIRECTORY = "4f715499-c169-4f0f-9912-a75c0341772a"
AUTHORITY = f"https://login.microsoftonline.com/{DIRECTORY}"
SCOPE = "https://ws-fhir.fhir.azurehealthcareapis.com/.default"


class Answer:
    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status_code = status
        self.text = json.dumps(body)
        self.headers: dict[str, str] = {}

    def raise_for_status(self) -> None:
        assert self.status_code < 400


class Http:
    """What MSAL speaks HTTP with."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.posted: list[tuple[str, dict[str, str]]] = []

    def get(self, url: str, **_: object) -> Answer:
        assert url.startswith(AUTHORITY)
        endpoints = {"token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token", "authorization_endpoint": f"{AUTHORITY}/a"}
        return Answer(200, {**endpoints, "issuer": f"{AUTHORITY}/v2.0"})

    def post(self, url: str, *, data: dict[str, str], **_: object) -> Answer:
        self.posted.append((url, data))
        return self._answer

    def close(self) -> None:
        pass


GRANTED = Answer(200, {"access_token": "entra-token", "token_type": "Bearer", "expires_in": 3599})


def auth(**fields: str) -> EntraAuth:
    return EntraAuth.model_validate({"tenant": DIRECTORY, "client_id": "gw", **fields})


async def test_a_secret_is_posted_to_the_directory() -> None:
    http = Http(GRANTED)
    token = await grant_by_application(auth(secret="s"), "the-secret", SCOPE, http)
    assert (token.value, token.life) == ("entra-token", 3599)
    [(url, form)] = http.posted
    assert url == f"{AUTHORITY}/oauth2/v2.0/token"
    assert (form["grant_type"], form["client_id"], form["client_secret"], form["scope"]) == (
        "client_credentials",
        "gw",
        "the-secret",
        SCOPE,
    )


async def test_a_certificate_signs_an_assertion() -> None:
    http = Http(GRANTED)
    await grant_by_application(auth(certificate="c"), certificate_pem(), SCOPE, http)
    [(url, form)] = http.posted
    assert "client_secret" not in form
    header = jwt.get_unverified_header(form["client_assertion"])
    claims = jwt.decode(form["client_assertion"], rsa_key().public_key(), [header["alg"]], audience=url)
    assert claims["sub"] == claims["iss"] == "gw"
    assert header["alg"] in ("RS256", "PS256")
    assert {"x5t", "x5t#S256"} & set(header)


async def test_a_refusal_is_told_without_its_text() -> None:
    http = Http(Answer(401, {"error": "invalid_client", "error_description": "AADSTS7000215: secret 'abc' is wrong"}))
    with pytest.raises(CredentialRefused) as caught:
        await grant_by_application(auth(secret="s"), "wrong", SCOPE, http)
    assert caught.value.detail == "invalid_client"


async def test_an_entra_that_cannot_be_reached_is_a_broken_upstream() -> None:
    class Down(Http):
        def get(self, url: str, **_: object) -> Answer:
            raise ConnectionError(url)

    with pytest.raises(UpstreamBroken, match="cannot be reached"):
        await grant_by_application(auth(secret="s"), "x", SCOPE, Down(GRANTED))


def test_the_scope_is_the_servers_own_address_unless_said_otherwise() -> None:
    assert entra_scope(auth(), "https://ws-fhir.fhir.azurehealthcareapis.com/") == SCOPE
    assert entra_scope(auth(scope="api://x/.default"), "https://x") == "api://x/.default"
