"""Smoke test of a deployed gateway: health, metadata of every face, 401 without a token, and with a test client a
token. One line a check; nothing secret is printed.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator

import requests

FACES = {"dstu2": "1.0", "stu3": "3.0", "r4": "4.0"}
_TIMEOUT_SECONDS = 20
_PAUSE_SECONDS = 5

type Check = tuple[str, Callable[[], None]]


class CheckFailed(Exception):
    """What was expected and what came instead."""


def checks(base_url: str, client: tuple[str, str, str] | None) -> Iterator[Check]:
    """Name and body of every check, in order. `client`: id, secret and tenant of a test client, or None."""
    yield "health live", lambda: _status(_get(f"{base_url}/health/live"), 200)
    yield "health ready", lambda: _status(_get(f"{base_url}/health/ready"), 200)
    for face, version in FACES.items():
        yield f"metadata {face}", lambda face=face, version=version: _metadata(base_url, face, version)  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
    yield "signing keys", lambda: _signing_keys(base_url)
    yield "401 without a token", lambda: _status(_get(f"{base_url}/fhir/Patient"), 401)
    yield "401 with a wrong token", lambda: _status(_get(f"{base_url}/fhir/Patient", token="wrong"), 401)  # noqa: S106  # it is meant to be refused
    yield "management without a token", lambda: _status(_get(f"{base_url}/manage/v1/tenants"), 401)
    if client is not None:
        yield "token of the test client", lambda: _token(base_url, *client)


def _get(url: str, *, token: str | None = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return requests.get(url, headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise CheckFailed(type(error).__name__) from None


def _status(response: requests.Response, expected: int) -> None:
    if response.status_code != expected:
        raise CheckFailed(f"status {response.status_code}, not {expected}")


def _json(response: requests.Response) -> dict[str, object]:
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise CheckFailed("no JSON object")
    return document


def _metadata(base_url: str, face: str, version: str) -> None:
    response = _get(f"{base_url}/fhir/{face}/metadata")
    _status(response, 200)
    document = _json(response)
    kind = "Conformance" if face == "dstu2" else "CapabilityStatement"
    if document.get("resourceType") != kind or not str(document.get("fhirVersion")).startswith(version):
        raise CheckFailed(f"not a {kind} of FHIR {version}")


def _signing_keys(base_url: str) -> None:
    response = _get(f"{base_url}/oauth2/jwks")
    _status(response, 200)
    if not _json(response).get("keys"):
        raise CheckFailed("there is no signing key")


def _token(base_url: str, client_id: str, secret: str, tenant: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": tenant}
    try:
        response = requests.post(f"{base_url}/oauth2/token", data=form, timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise CheckFailed(type(error).__name__) from None
    _status(response, 200)
    if not _json(response).get("access_token"):
        raise CheckFailed("no access_token")


def run(base_url: str, client: tuple[str, str, str] | None, wait: float) -> int:
    """Run every check and print a line for each. Returns how many failed. Each is tried again until `wait` seconds
    after the start, since a fresh deployment takes a while to answer.
    """
    end = time.monotonic() + wait
    failed = 0
    for name, check in checks(base_url, client):
        problem = _attempt(check, end)
        failed += problem is not None
        print(f"FAIL {name}: {problem}" if problem else f"ok   {name}")
    return failed


def _attempt(check: Callable[[], None], end: float) -> str | None:
    while True:
        try:
            check()
        except CheckFailed as failure:
            if time.monotonic() >= end:
                return str(failure)
            time.sleep(_PAUSE_SECONDS)
        else:
            return None


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 all well, 1 a check failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Examples: python scripts/smoke.py https://gateway.example --wait 180; "
        "SECRET=... python scripts/smoke.py http://localhost:7071 --client-id GUID "
        "--client-secret-env SECRET --tenant GUID",
    )
    parser.add_argument("url", help="where the gateway answers, without /fhir")
    parser.add_argument("--client-id", help="a test client")
    parser.add_argument("--client-secret-env", metavar="VAR", help="environment variable that holds its secret")
    parser.add_argument("--tenant", metavar="GUID", help="a tenant it may use")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="keep trying that long (default 0)")
    given = parser.parse_args(arguments)
    if not given.url.startswith(("http://", "https://")):
        parser.error("the URL must start with http:// or https://")
    parts = (given.client_id, given.client_secret_env, given.tenant)
    if any(parts) and not all(parts):
        parser.error("--client-id, --client-secret-env and --tenant belong together")
    client = None
    if all(parts):
        secret = os.environ.get(given.client_secret_env)
        if not secret:
            parser.error(f"the environment variable {given.client_secret_env} is empty")
        client = (given.client_id, secret, given.tenant)
    return 1 if run(given.url.rstrip("/"), client, given.wait) else 0


if __name__ == "__main__":
    sys.exit(main())
