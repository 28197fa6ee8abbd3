"""The documents by which clients find the authorization server say the same."""

from typing import Any

import orjson
import pytest

from tests.gateway.tokens.harness import BASE_URL, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMART = ["/fhir", "/fhir/dstu2", "/fhir/stu3", "/fhir/r4", "/fhir/R4"]
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


async def _read(gateway: Gateway, path: str) -> Any:  # noqa: ANN401  # JSON
    answer = await gateway.caller.request("GET", path)
    assert answer.status == 200, (path, answer.body)
    return orjson.loads(answer.body)


async def test_rfc_8414(gateway: Gateway) -> None:
    answer = await gateway.caller.request("GET", "/.well-known/oauth-authorization-server")
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "public, max-age=300"
    metadata = orjson.loads(answer.body)
    assert metadata["issuer"] == BASE_URL
    assert metadata["jwks_uri"] == f"{BASE_URL}/oauth2/jwks"
    assert metadata["grant_types_supported"] == ["client_credentials"]
    assert metadata["response_types_supported"] == []
    assert set(metadata["token_endpoint_auth_methods_supported"]) == {
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    }


@pytest.mark.parametrize("base", SMART)
async def test_smart_configuration(gateway: Gateway, base: str) -> None:
    """SMART App Launch 2.2: what Backend Services and the conformance section require."""
    answer = await gateway.caller.request("GET", f"{base}/.well-known/smart-configuration")
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    configuration = orjson.loads(answer.body)
    assert {"client-confidential-symmetric", "client-confidential-asymmetric"} <= set(configuration["capabilities"])
    assert configuration["code_challenge_methods_supported"] == ["S256"]
    assert {"RS384", "ES384"} <= set(configuration["token_endpoint_auth_signing_alg_values_supported"])


@pytest.mark.parametrize("base", ["/fhir", "/fhir/dstu2", "/fhir/stu3", "/fhir/r4"])
async def test_every_document_names_the_same_endpoints(gateway: Gateway, base: str) -> None:
    metadata = await _read(gateway, "/.well-known/oauth-authorization-server")
    configuration = await _read(gateway, f"{base}/.well-known/smart-configuration")
    statement = await _read(gateway, f"{base}/metadata")
    for name, value in configuration.items():
        assert metadata.get(name, value) == value
    (extension,) = [each for each in statement["rest"][0]["security"]["extension"] if each["url"] == OAUTH_URIS]
    uris = {part["url"]: part["valueUri"] for part in extension["extension"]}
    assert uris == {
        "token": metadata["token_endpoint"],
        "authorize": metadata["authorization_endpoint"],
        "revoke": metadata["revocation_endpoint"],
    }


async def test_every_endpoint_that_is_named_is_there(gateway: Gateway) -> None:
    metadata = await _read(gateway, "/.well-known/oauth-authorization-server")
    expected = {
        "authorization_endpoint": 400,
        "token_endpoint": 405,
        "revocation_endpoint": 405,
        "jwks_uri": 200,
    }
    for name, status in expected.items():
        path = metadata[name].removeprefix(BASE_URL)
        assert (await gateway.caller.request("GET", path)).status == status


async def test_a_version_that_does_not_exist_has_no_configuration(gateway: Gateway) -> None:
    answer = await gateway.caller.request("GET", "/fhir/r9/.well-known/smart-configuration")
    assert answer.status == 404
    assert orjson.loads(answer.body)["resourceType"] == "OperationOutcome"


async def test_head_is_answered(gateway: Gateway) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/fhir/.well-known/smart-configuration", "/oauth2/jwks"):
        answer = await gateway.caller.request("HEAD", path)
        assert (answer.status, answer.body) == (200, b"")
