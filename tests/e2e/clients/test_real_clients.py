"""Clients that others wrote, unchanged, against the running service."""

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.registry import Client, Registry
from gateway.settings import Settings
from local.stack_file import Stack
from tests.environments import environment_python
from tests.environments.node import node_environment

pytestmark = pytest.mark.e2e

ENVIRONMENTS = Path(__file__).parents[2] / "environments"
PATIENT = "rb.pat.1"


@pytest.fixture(scope="module")
def secret_client(stack: Stack) -> dict[str, Any]:
    tenant = next(tenant for tenant in stack.tenants if tenant.fhir_version == "r4")
    return {
        "client_id": stack.clients[0].client_id,
        "client_secret": stack.clients[0].client_secret,
        "token_url": stack.token_url,
        "api_base": f"{stack.fhir_base_url}/r4",
        "scope": tenant.tenant_id,
        "patient": PATIENT,
    }


@pytest.fixture(scope="module")
def key_client(stack: Stack, secret_client: dict[str, Any]) -> dict[str, Any]:
    """A client without a secret: it has registered a key."""
    private_key = rsa.generate_private_key(65537, 2048)  # the one kind that every one of the clients can use
    public = jwt.get_algorithm_by_name("RS384").to_jwk(private_key.public_key(), as_dict=True)
    public.pop("key_ops", None)
    jwks: dict[str, object] = {"keys": [{**public, "kid": "mine", "alg": "RS384"}]}
    client = Client(name="Keys only", tenants="*", auth_methods=("private_key_jwt",), jwks=jwks)
    asyncio.run(_register(stack, client))
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    key = {"client_id": client.client_id, "client_secret": None, "private_key": pem, "kid": "mine"}
    return {**secret_client, **key, "algorithm": "RS384"}


async def _register(stack: Stack, client: Client) -> None:
    settings = {"public_base_url": stack.base_url, "tables_connection": stack.storage_connection_string}
    registry = Registry.open(Settings.model_validate(settings))
    try:
        await registry.add_client(client)
    finally:
        await registry.close()


def _run(command: list[str | Path], settings: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    done = subprocess.run(  # noqa: S603  # our own scripts
        command, input=json.dumps(settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _python(environment: str, script: str, settings: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    return _run([environment_python(environment), ENVIRONMENTS / environment / script], settings)


def _assertion(client: dict[str, Any]) -> str:
    at = int(time.time())
    claims = {"iss": client["client_id"], "sub": client["client_id"], "aud": client["token_url"]}
    claims |= {"iat": at, "exp": at + 240, "jti": str(uuid4())}
    return jwt.encode(claims, client["private_key"], client["algorithm"], headers={"kid": client["kid"]})


def test_fhirclient_by_basic(secret_client: dict[str, Any]) -> None:
    read = _python("fhirclient_r4", "read_patient.py", secret_client)
    assert read == {"id": PATIENT, "family": "Thompson"}


def test_fhirclient_by_assertion(key_client: dict[str, Any]) -> None:
    settings = {**key_client, "assertion": _assertion(key_client)}
    assert _python("fhirclient_r4", "read_patient.py", settings) == {"id": PATIENT, "family": "Thompson"}


@pytest.mark.parametrize(
    "client",
    [
        "authlib client_secret_basic",
        "authlib client_secret_post",
        "requests-oauthlib basic",
        "requests-oauthlib post",
    ],
)
def test_oauth_library_by_secret(secret_client: dict[str, Any], client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The local stack speaks http, which this library refuses unless it is told that it may.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    read = _python("oauth_clients", "draw_token.py", {**secret_client, "client": client})
    assert (read["status"], read["id"]) == (200, PATIENT)
    assert read["token"]["token_type"] == "Bearer"


def test_authlib_by_assertion(key_client: dict[str, Any]) -> None:
    # The library's assertions live for an hour unless told otherwise; SMART allows five minutes.
    claims = {"exp": int(time.time()) + 240}
    settings = {**key_client, "client": "authlib private_key_jwt", "claims": claims}
    read = _python("oauth_clients", "draw_token.py", settings)
    assert (read["status"], read["id"]) == (200, PATIENT)


def test_fhir_kit_client_finds_everything_from_metadata(stack: Stack, secret_client: dict[str, Any]) -> None:
    environment = node_environment("fhir_kit_client")
    read = _run([environment.node, environment.folder / "read_patient.mjs"], secret_client)
    assert read == {
        "tokenUrl": stack.token_url,
        "authorizeUrl": f"{stack.base_url}/oauth2/authorize",
        "fhirVersion": "4.0.1",
        "id": PATIENT,
    }


@pytest.mark.parametrize("grant_type", ["grant_type", "grant-type"])
def test_the_apps_own_form_in_its_two_spellings(secret_client: dict[str, Any], grant_type: str) -> None:
    form = {
        grant_type: "client_credentials",
        "client_id": secret_client["client_id"],
        "client_secret": secret_client["client_secret"],
        "scope": secret_client["scope"],
    }
    answer = requests.post(secret_client["token_url"], data=form, timeout=10)
    assert answer.status_code == 200
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert token["scope"] == secret_client["scope"]
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    read = requests.get(f"{secret_client['api_base']}/Patient/{PATIENT}", headers=headers, timeout=10)
    assert read.json()["id"] == PATIENT
