"""An OpenID provider that keeps to the standards as far as a test lets it."""

import hashlib
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

TENANT = "5b4c2f6e-3a52-4a0c-8d0a-6a3c1f0e9b11"
CLIENT = "d2719f51-8f0b-4a53-9b0e-0c9f5d1a7e22"
SECRET = "kept-in-the-vault"


@cache
def rsa_key(name: str) -> RSAPrivateKey:  # noqa: ARG001  # which of several
    return generate_private_key(65537, 2048)


@dataclass
class LyingAuthority:
    """`claims` go over those of an honest ID token (None: left out); a code works once, with its verifier."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    signed_with: str = "one"
    algorithm: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    redeemed: list[dict[str, str]] = field(default_factory=list)
    token_status: int = 200

    @property
    def base(self) -> str:
        return f"{self.url}/{TENANT}/v2.0"

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get(f"/{TENANT}/v2.0/.well-known/openid-configuration", self._configuration)
        app.router.add_get(f"/{TENANT}/keys", self._jwks)
        app.router.add_post(f"/{TENANT}/token", self._token)
        return app

    def authorize(self, location: str) -> dict[str, str]:
        """What the browser posts back after somebody signed in at `location` (RFC 6749 §4.1.2)."""
        asked = dict(parse_qsl(urlsplit(location).query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    async def _configuration(self, _request: web.Request) -> web.Response:
        root = f"{self.url}/{TENANT}"
        return web.json_response(
            {
                "issuer": self.base,
                "authorization_endpoint": f"{root}/authorize",
                "token_endpoint": f"{root}/token",
                "jwks_uri": f"{root}/keys",
                "end_session_endpoint": f"{root}/logout",
            }
        )

    async def _jwks(self, _request: web.Request) -> web.Response:
        key = RSAAlgorithm.to_jwk(rsa_key("one").public_key(), as_dict=True)
        return web.json_response({"keys": [key | {"kid": "one", "use": "sig"}]})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.redeemed.append(form)
        if self.token_status != 200:
            return web.json_response({"error": "server_error"}, status=self.token_status)
        asked = self.codes.pop(form.get("code", ""), None)
        if form.get("client_secret", SECRET) != SECRET:
            fault = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret <script>."}
            return web.json_response(fault, status=401)
        # RFC 7636 §4.6: BASE64URL-ENCODE(SHA256(ASCII(code_verifier))) == code_challenge
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not asked or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = self.id_token(asked["nonce"])
        return web.json_response({"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token})

    def id_token(self, nonce: str) -> str:
        at = int(time.time())
        honest = {
            "iss": self.base,
            "aud": CLIENT,
            "tid": TENANT,
            "iat": at,
            "nbf": at,
            "exp": at + 3600,
            "nonce": nonce,
            "sub": "pairwise",
            "oid": "11111111-2222-4333-8444-555555555555",
            "preferred_username": "admin@hospital.example",
            "roles": ["Gateway.Admin"],
        }
        signed = {name: value for name, value in (honest | self.claims).items() if value is not None}
        key: Any = {"none": None, "HS256": CLIENT * 2}.get(self.algorithm, rsa_key(self.signed_with))
        return jwt.encode(signed, key, self.algorithm, headers={"kid": "one"})
