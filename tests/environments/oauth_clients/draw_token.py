"""Draws a token and reads a patient with a client library: JSON settings on standard input, JSON on standard output."""

import json
import sys

from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

settings = json.load(sys.stdin)
client_id, secret = settings["client_id"], settings.get("client_secret")
token_url, scope = settings["token_url"], settings["scope"]


def authlib(method: str) -> AuthlibSession:
    session = AuthlibSession(client_id, secret, token_endpoint_auth_method=method, scope=scope)
    session.fetch_token(token_url, grant_type="client_credentials")
    return session


def authlib_by_key() -> AuthlibSession:
    session = AuthlibSession(
        client_id, settings["private_key"], token_endpoint_auth_method="private_key_jwt", scope=scope
    )
    session.register_client_auth_method(
        PrivateKeyJWT(token_url, alg=settings["algorithm"], headers={"kid": settings["kid"]}, claims=settings["claims"])
    )
    session.fetch_token(token_url, grant_type="client_credentials")
    return session


def requests_oauthlib(**how: object) -> OAuth2Session:
    session = OAuth2Session(client=BackendApplicationClient(client_id=client_id, scope=scope))
    session.fetch_token(token_url, **how)
    return session


session = {
    "authlib client_secret_basic": lambda: authlib("client_secret_basic"),
    "authlib client_secret_post": lambda: authlib("client_secret_post"),
    "authlib private_key_jwt": authlib_by_key,
    "requests-oauthlib basic": lambda: requests_oauthlib(auth=HTTPBasicAuth(client_id, secret)),
    "requests-oauthlib post": lambda: requests_oauthlib(client_secret=secret, include_client_id=True),
}[settings["client"]]()
answer = session.get(f"{settings['api_base']}/Patient/{settings['patient']}")
json.dump({"status": answer.status_code, "id": answer.json().get("id"), "token": dict(session.token)}, sys.stdout)
