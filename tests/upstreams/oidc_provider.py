"""oidc-provider: an authorization server that this project did not write, strict about how clients authenticate."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from local import processes
from local.ports import free_port
from tests.environments.node import node_environment

_READY_SECONDS = 60
# The resource server's own credential at the introspection endpoint.
_RESOURCE_SERVER = {"client_id": "fhir-server", "method": "client_secret_basic", "secret": "fhir-server-secret"}


@dataclass(frozen=True)
class AuthorizationServer:
    origin: str

    @property
    def token_url(self) -> str:
        return f"{self.origin}/token"

    async def introspect(self, token: str) -> dict[str, Any]:
        """RFC 7662."""
        told: dict[str, Any] = await self._post("token/introspection", token)
        return told

    async def revoke(self, token: str) -> None:
        """RFC 7009."""
        await self._post("token/revocation", token)

    async def _post(self, path: str, token: str) -> Any:  # noqa: ANN401  # JSON
        login = aiohttp.encode_basic_auth(_RESOURCE_SERVER["client_id"], _RESOURCE_SERVER["secret"])
        async with aiohttp.ClientSession(headers={"Authorization": login}) as session:
            answer = await session.post(f"{self.origin}/{path}", data={"token": token})
            assert answer.status == 200, await answer.text()
            return await answer.json(content_type=None) if await answer.read() else None


class Guard:
    """What an emulated FHIR server (`server.always`) does before it answers: ask the authorization server about the
    token. Remembers what it was told of each; its SMART configuration names the token endpoint.
    """

    def __init__(self, authority: AuthorizationServer) -> None:
        self._authority = authority
        self.introspected: list[dict[str, Any]] = []
        self.tokens: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse | None:
        if request.path.endswith("/.well-known/smart-configuration"):
            return web.json_response({"token_endpoint": self._authority.token_url})
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        told = await self._authority.introspect(token) if token else {"active": False}
        self.introspected.append(told)
        self.tokens.append(token)
        return None if told["active"] else web.json_response({"resourceType": "OperationOutcome"}, status=401)


@contextmanager
def running_oidc_provider(clients: list[dict[str, str]], log: Path) -> Iterator[AuthorizationServer]:
    """`clients` as serve.mjs has them."""
    environment = node_environment("oidc_provider")
    server = AuthorizationServer(f"http://127.0.0.1:{free_port()}")
    settings = {"port": int(server.origin.rpartition(":")[2]), "clients": [*clients, _RESOURCE_SERVER]}
    command: list[str | Path] = [environment.node, environment.folder / "serve.mjs", json.dumps(settings)]
    program = processes.start("oidc-provider", command, log=log, environment={}, folder=environment.folder)
    try:
        url = f"{server.origin}/.well-known/openid-configuration"
        processes.wait_until_ready(program, url, seconds=_READY_SECONDS)
        yield server
    finally:
        processes.stop(program)
