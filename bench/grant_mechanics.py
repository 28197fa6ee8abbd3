"""The mechanics of RFC 6749 §4.4 alone (read the request, authenticate the client, answer), without signing: this
service's own, Authlib's and oauthlib's. Microseconds a grant.

    python -m bench.grant_mechanics

The two libraries run in an environment of their own (tests/environments/oauth_clients).
"""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from bench.timing import microseconds
from gateway.registry import Client, ClientSecret, Directory
from gateway.registry.secret_values import Pepper
from gateway.tokens.client_auth import SecretClaim, authenticate_secret, read_claim
from gateway.tokens.form import parse_form
from gateway.tokens.scopes import parse_scope
from local.places import REPOSITORY
from tests.environments import environment_python

GRANTS = 2000
CLIENT_ID = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2a01"
SECRET = "pgw_" + "a" * 43
BODY = urlencode(
    {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET, "scope": CLIENT_ID}
)
HEADERS = {"content-type": "application/x-www-form-urlencoded"}


class _Known(Directory):
    """Knows one client, without storage."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def client(self, _client_id: str) -> Client:
        return self._client


def _own() -> float:
    pepper, at = Pepper.generate(), datetime.now(UTC)
    secret = ClientSecret(hint="pgw_", hash=pepper.hash(SECRET), expires=at + timedelta(days=1))
    directory = _Known(Client(client_id=CLIENT_ID, name="App", tenants="*", secrets=(secret,)))

    async def grant() -> None:
        form = parse_form(BODY.encode(), HEADERS)
        claim = read_claim(HEADERS, form)
        if not isinstance(claim, SecretClaim):
            raise SystemExit("the secret was not read as one")
        await authenticate_secret(claim, directory, pepper, at)
        parse_scope(form["scope"])

    def once() -> None:
        try:
            grant().send(None)  # nothing waits, so one step runs it to its end
        except StopIteration:
            return
        raise SystemExit("the grant waited")

    return microseconds(once, GRANTS)


def main() -> None:
    """Print the table."""
    python, module = environment_python("oauth_clients"), "bench.grant_libraries"
    command: list[str | Path] = [python, "-m", module, CLIENT_ID, SECRET, BODY, str(GRANTS)]
    libraries = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout)
    for name, spent in {"own code": _own(), **libraries}.items():
        print(f"{name:10}{spent:8.1f} µs")


if __name__ == "__main__":
    main()
