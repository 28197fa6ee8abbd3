"""The mechanics of RFC 6749 §4.4 alone (read the request, authenticate the client, answer), without signing: this
service's own, Authlib's and oauthlib's. Microseconds a grant, the best of five times 2,000.

    python bench/grant_mechanics.py

The two libraries run in an environment of their own (tests/environments/oauth_clients).
"""

import hashlib
import hmac
import json
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

ROOT = Path(__file__).resolve().parents[1]
CLIENT_ID = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2a01"
SECRET = "pgw_" + "a" * 43
BODY = urlencode(
    {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET, "scope": CLIENT_ID}
)
HEADERS = {"content-type": "application/x-www-form-urlencoded"}
TOKEN_URL = "https://gateway.example/oauth2/token"  # noqa: S105  # an address


def _hash(value: str) -> bytes:
    return urlsafe_b64encode(hmac.digest(b"k" * 32, value.encode(), hashlib.sha256))


STORED = _hash(SECRET)


def _best(call: Any) -> float:  # noqa: ANN401  # any of the three
    times = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(2000):
            call()
        times.append((time.perf_counter() - started) / 2000 * 1e6)
    return round(min(times), 1)


def _own() -> float:
    sys.path.insert(0, str(ROOT))
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from gateway.registry import Client, ClientSecret  # noqa: PLC0415
    from gateway.registry.secret_values import Pepper  # noqa: PLC0415
    from gateway.tokens.client_auth import authenticate_secret, read_claim  # noqa: PLC0415
    from gateway.tokens.form import parse_form  # noqa: PLC0415
    from gateway.tokens.scopes import parse_scope  # noqa: PLC0415

    pepper, at = Pepper.generate(), datetime.now(UTC)
    secret = ClientSecret(hint="pgw_", hash=pepper.hash(SECRET), expires=at + timedelta(days=1))
    client = Client(client_id=CLIENT_ID, name="App", tenants="*", secrets=(secret,))

    class Known:
        async def client(self, _client_id: str) -> Client:
            return client

    async def grant() -> None:
        form = parse_form(BODY.encode(), HEADERS)
        claim = read_claim(HEADERS, form)
        await authenticate_secret(claim, Known(), pepper, at)
        parse_scope(form["scope"])

    def once() -> None:
        try:
            grant().send(None)  # nothing waits, so one step runs it to its end
        except StopIteration:
            return
        raise SystemExit("the grant waited")

    return _best(once)


def _authlib() -> float:  # noqa: C901  # one small class for each thing that the library asks for
    from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, grants  # noqa: PLC0415
    from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request  # noqa: PLC0415

    class Client(ClientMixin):
        client_id = CLIENT_ID

        def check_client_secret(self, client_secret: str) -> bool:
            return hmac.compare_digest(STORED, _hash(client_secret))

        def check_endpoint_auth_method(self, _method: str, _endpoint: str) -> bool:
            return True

        def check_grant_type(self, grant_type: str) -> bool:
            return grant_type == "client_credentials"

        def get_allowed_scope(self, scope: str) -> str:
            return scope

    class Server(AuthorizationServer):
        def query_client(self, _client_id: str) -> Client:
            return Client()

        def save_token(self, _token: dict[str, Any], _request: object) -> None:
            return

        def send_signal(self, *_args: object, **_kwargs: object) -> None:
            return

        def create_oauth2_request(self, _request: object) -> OAuth2Request:
            form = dict(parse_qsl(BODY))
            request = OAuth2Request("POST", TOKEN_URL, headers=HEADERS)
            request.payload = BasicOAuth2Payload(form)
            request._body = form  # noqa: SLF001  # what its web integrations set
            return request

        def handle_response(self, status: int, body: object, headers: object) -> tuple[int, object, object]:
            return status, body, headers

    class Grant(grants.ClientCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post", "client_secret_basic")

    server = Server()
    server.register_grant(Grant)
    server.register_token_generator("default", lambda **_: {"access_token": "x", "token_type": "Bearer"})
    status, body, _ = server.create_token_response(None)
    if status != 200:  # noqa: PLR2004
        raise SystemExit(f"Authlib refused: {body}")
    return _best(lambda: server.create_token_response(None))


def _oauthlib() -> float:
    from oauthlib.oauth2 import BackendApplicationServer, RequestValidator  # noqa: PLC0415

    class Client:
        client_id = CLIENT_ID

    class Validator(RequestValidator):
        def authenticate_client(self, request: Any, *_args: Any, **_kwargs: Any) -> bool:  # noqa: ANN401
            request.client = Client()
            return hmac.compare_digest(STORED, _hash(request.client_secret))

        def validate_grant_type(self, *_args: Any, **_kwargs: Any) -> bool:  # noqa: ANN401
            return True

        def validate_scopes(self, *_args: Any, **_kwargs: Any) -> bool:  # noqa: ANN401
            return True

        def save_bearer_token(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401
            return

    server = BackendApplicationServer(Validator(), token_generator=lambda _request: "x")

    def grant() -> Any:  # noqa: ANN401
        return server.create_token_response(TOKEN_URL, "POST", BODY, HEADERS)

    _, body, status = grant()
    if status != 200:  # noqa: PLR2004
        raise SystemExit(f"oauthlib refused: {body}")
    return _best(grant)


def main() -> None:
    """Print the table."""
    if sys.argv[1:] == ["libraries"]:
        print(json.dumps({"Authlib": _authlib(), "oauthlib": _oauthlib()}))
        return
    sys.path.insert(0, str(ROOT))
    from tests.environments import environment_python  # noqa: PLC0415

    command = [environment_python("oauth_clients"), __file__, "libraries"]
    libraries = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for name, microseconds in {"own code": _own(), **libraries}.items():
        print(f"{name:10}{microseconds:8.1f} µs")


if __name__ == "__main__":
    main()
