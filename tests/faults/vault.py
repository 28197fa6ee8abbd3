"""A stand-in for Azure Key Vault and the managed identity of the app, as the Azure SDK meets them.

Key Vault answers a request without a token by 401 with a challenge that names authority and resource, wants the token
of that resource and an `api-version`, and knows secrets by name, with or without a version (Key Vault REST API, "Get
Secret" and "Authentication, requests and responses"). The identity endpoint is App Service's (`IDENTITY_ENDPOINT`,
`X-IDENTITY-HEADER`). The vault has its real name: the SDK checks that it belongs to the challenge's resource. So its
address is reached through a proxy (RFC 9110 §9.3.6), which is the only part that is not Azure's.
"""

import asyncio
import datetime as dt
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HOST = "faults.vault.azure.net"
RESOURCE = "https://vault.azure.net"
_AUTHORITY = "https://login.microsoftonline.com/7c9e6679-7425-40de-944b-e07fc1f90ae7"
_CHALLENGE = f'Bearer authorization="{_AUTHORITY}", resource="{RESOURCE}"'
_IDENTITY_HEADER = "faults-identity"


@dataclass
class Vault:
    """`secrets` by name. `up`: while it is False connections are refused, and those that stood are cut."""

    secrets: dict[str, str]
    folder: Path
    answered: int = 0
    challenged: int = 0
    up: bool = True
    port: int = 0
    _tokens: set[str] = field(default_factory=set)
    _tunnels: set[asyncio.StreamWriter] = field(default_factory=set)
    tls_port: int = 0
    proxy_port: int = 0

    @property
    def variables(self) -> dict[str, str]:
        """What the service's process is to be started with."""
        return {
            "KEY_VAULT_URL": f"https://{HOST}",
            "IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.port}/msi/token",
            "IDENTITY_HEADER": _IDENTITY_HEADER,
            "HTTPS_PROXY": f"http://127.0.0.1:{self.proxy_port}",
            "NO_PROXY": "127.0.0.1",
            "SSL_CERT_FILE": str(self.folder / "vault.pem"),
        }

    async def identity(self, request: web.Request) -> web.Response:
        if request.headers.get("X-IDENTITY-HEADER") != _IDENTITY_HEADER or "api-version" not in request.query:
            return web.json_response({"statusCode": 401, "message": "no identity header"}, status=401)
        if request.query.get("resource") != RESOURCE:
            return web.json_response({"statusCode": 400, "message": "another resource"}, status=400)
        token = secrets.token_urlsafe(16)
        self._tokens.add(token)
        return web.json_response(
            {
                "access_token": token,
                "expires_on": str(int(time.time()) + 86_400),
                "resource": RESOURCE,
                "token_type": "Bearer",
            }
        )

    async def secret(self, request: web.Request) -> web.Response:
        if not self.up and request.transport is not None:
            # What was under way when the vault went is not answered either.
            request.transport.abort()
            return web.Response(status=503)
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            self.challenged += 1
            error = {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
            return web.json_response({"error": error}, status=401, headers={"WWW-Authenticate": _CHALLENGE})
        if "api-version" not in request.query:
            error = {"code": "BadParameter", "message": "api-version must be specified"}
            return web.json_response({"error": error}, status=400)
        name = request.match_info["name"]
        if name not in self.secrets:
            error = {"code": "SecretNotFound", "message": f"A secret with (name/id) {name} was not found."}
            return web.json_response({"error": error}, status=404)
        self.answered += 1
        attributes = {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "Recoverable+Purgeable"}
        identifier = f"https://{HOST}/secrets/{name}/{'0' * 32}"
        return web.json_response({"value": self.secrets[name], "id": identifier, "attributes": attributes})

    def cut(self) -> None:
        """Be gone, for connections that stand as well."""
        self.up = False
        for writer in list(self._tunnels):
            writer.transport.abort()

    async def tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """RFC 9110 §9.3.6, to the one host that there is."""
        head = await reader.readuntil(b"\r\n\r\n")
        if not self.up or not head.startswith(f"CONNECT {HOST}:443 ".encode()):
            writer.transport.abort()
            return
        self._tunnels.add(writer)
        there, back = await asyncio.open_connection("127.0.0.1", self.tls_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._tunnels.add(back)
        await asyncio.gather(_copied(reader, back), _copied(there, writer))
        self._tunnels -= {writer, back}


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def running_vault(folder: Path, values: dict[str, str]) -> AsyncIterator[Vault]:
    """A vault that holds these secrets, its certificate in `folder`."""
    vault = Vault(values, folder)
    app = web.Application()
    app.router.add_get("/msi/token", vault.identity)
    app.router.add_get("/secrets/{name}", vault.secret)
    app.router.add_get("/secrets/{name}/{version:.*}", vault.secret)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_certified(folder)).start()
    vault.port, vault.tls_port = (address[1] for address in runner.addresses)
    proxy = await asyncio.start_server(vault.tunnel, "127.0.0.1", 0)
    vault.proxy_port = proxy.sockets[0].getsockname()[1]
    try:
        yield vault
    finally:
        vault.cut()
        proxy.close()
        await proxy.wait_closed()
        await runner.cleanup()


def _certified(folder: Path) -> ssl.SSLContext:
    """A certificate of the vault's name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    at = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - dt.timedelta(days=1))
        .not_valid_after(at + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "vault.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "vault.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "vault.pem", folder / "vault.key")
    return context
