"""The same grant by Authlib and by oauthlib, for bench/grant_mechanics.py, which starts this program in the environment
that has the two: prints microseconds a grant as a JSON object. Of this project it imports
only what needs no library.
"""

import hashlib
import hmac
import json
import sys
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, grants
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from oauthlib.oauth2 import BackendApplicationServer, RequestValidator

from bench.timing import microseconds

CLIENT_ID, SECRET, BODY, GRANTS = sys.argv[1:]
HEADERS = {"content-type": "application/x-www-form-urlencoded"}
TOKEN_URL = "https://gateway.example/oauth2/token"  # noqa: S105  # an address


def _hash(value: str) -> bytes:
    return urlsafe_b64encode(hmac.digest(b"k" * 32, value.encode(), hashlib.sha256))


STORED = _hash(SECRET)


def _authlib() -> float:  # noqa: C901  # one small class for each thing that the library asks for
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
    return microseconds(lambda: server.create_token_response(None), int(GRANTS))


def _oauthlib() -> float:
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
    return microseconds(grant, int(GRANTS))


if __name__ == "__main__":
    print(json.dumps({"Authlib": _authlib(), "oauthlib": _oauthlib()}))
