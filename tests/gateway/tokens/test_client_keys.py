import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import orjson
import pytest
from aiohttp import ClientSession, web
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.errors import StorageUnavailable
from gateway.registry import Client
from gateway.settings import Settings
from gateway.tokens.client_keys import ClientKeys, parse_keys
from gateway.tokens.key_documents import document_reader
from gateway.upstream.session import open_session
from local.ports import free_port
from tests.gateway.tokens.harness import public_jwks


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Publisher:
    """Where a client publishes its keys."""

    content: bytes = b""
    down: bool = False
    reads: int = 0
    clock: Clock = field(default_factory=Clock)

    async def fetch(self, _address: str) -> bytes:
        self.reads += 1
        if self.down:
            raise StorageUnavailable("down")
        return self.content


def _settings(**fields: object) -> Settings:
    return Settings.model_validate({"public_base_url": "https://gateway.example", "tables_connection": "x", **fields})


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(orjson.dumps(public_jwks("es256", "es384")))


@pytest.fixture
def keys(publisher: Publisher) -> ClientKeys:
    settings = _settings(cache_ttl_seconds=30, cache_stale_seconds=100)
    return ClientKeys(settings, publisher.fetch, clock=publisher.clock)


CLIENT = Client(name="App", tenants="*", jwks_uri="https://app.example/jwks")


async def test_a_document_is_read_once_within_its_life(keys: ClientKeys, publisher: Publisher) -> None:
    for _ in range(5):
        assert [key.kid for key in await keys.of(CLIENT)] == ["es256", "es384"]
    assert publisher.reads == 1


async def test_a_key_that_leaves_the_address_is_gone_within_the_ttl(keys: ClientKeys, publisher: Publisher) -> None:
    await keys.of(CLIENT)
    publisher.content = orjson.dumps(public_jwks("es256"))
    publisher.clock.at += 30
    assert [key.kid for key in await keys.of(CLIENT)] == ["es256"]


async def test_a_new_key_is_found_at_once(keys: ClientKeys, publisher: Publisher) -> None:
    await keys.of(CLIENT)
    publisher.content = orjson.dumps(public_jwks("es256", "rs384"))
    publisher.clock.at += 6
    assert [key.kid for key in await keys.named(CLIENT, "rs384", "RS384")] == ["rs384"]
    assert [key.kid for key in await keys.of(CLIENT)] == ["es256", "rs384"]


async def test_made_up_kids_do_not_make_the_gateway_ask_again_and_again(keys: ClientKeys, publisher: Publisher) -> None:
    for number in range(50):
        assert await keys.named(CLIENT, f"made-up-{number}", "ES256") == ()
    assert publisher.reads == 1


async def test_while_the_address_is_down_the_known_keys_serve(keys: ClientKeys, publisher: Publisher) -> None:
    await keys.of(CLIENT)
    publisher.down = True
    publisher.clock.at += 31
    assert len(await keys.of(CLIENT)) == 2
    assert await keys.named(CLIENT, "made-up", "ES256") == ()
    publisher.clock.at += 120
    with pytest.raises(StorageUnavailable):
        await keys.of(CLIENT)


async def test_an_address_that_fails_is_left_alone_for_a_while(keys: ClientKeys, publisher: Publisher) -> None:
    publisher.down = True
    for _ in range(10):
        with pytest.raises(StorageUnavailable):
            await keys.of(CLIENT)
    assert publisher.reads == 1
    publisher.down = False
    publisher.clock.at += 6
    assert len(await keys.of(CLIENT)) == 2


async def test_something_else_at_the_address_is_no_key(keys: ClientKeys, publisher: Publisher) -> None:
    publisher.content = b"<html>"
    with pytest.raises(StorageUnavailable):
        await keys.of(CLIENT)


def test_only_usable_keys_are_taken() -> None:
    other_curve = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP521R1()).public_key(), as_dict=True)
    short = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)  # noqa: S505  # what is refused
    good = public_jwks("es384")["keys"]
    assert isinstance(good, list)
    entries = [
        *good,
        {**good[0], "use": "enc"},
        {**good[0], "alg": "ES256"},
        {**good[0], "kid": 7},
        {**good[0], "x": "AAAA"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA"},
        other_curve,
        short,
        None,
        "key",
    ]
    assert [key.kid for key in parse_keys(orjson.dumps({"keys": entries}))] == ["es384"]


def test_a_key_without_kid_has_its_thumbprint_for_one() -> None:
    """The key and the thumbprint are RFC 7638's own example (§3.1), but for its length, which RFC 7518 allows."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
        "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6"
        "qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw"
        "apJzKnqDKgw"
    )
    (key,) = parse_keys(orjson.dumps({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB"}]}))
    assert key.kid == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert key.algorithm == "RS384"


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async def keys(_request: web.Request) -> web.Response:
        return web.json_response(public_jwks("es384"))

    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=b" " * 100_000)

    async def elsewhere(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/keys")

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    app = web.Application()
    app.router.add_get("/keys", keys)
    app.router.add_get("/large", large)
    app.router.add_get("/elsewhere", elsewhere)
    app.router.add_get("/slow", slow)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_documents_are_read_over_http(server: str) -> None:
    async with ClientSession() as session:
        read = document_reader(session, _settings(allow_private_upstreams=True))
        assert [key.kid for key in parse_keys(await read(f"{server}/keys"))] == ["es384"]
        for path in ("large", "elsewhere", "missing"):
            with pytest.raises(StorageUnavailable):
                await read(f"{server}/{path}")


async def test_only_public_https_addresses_are_read_in_production(server: str) -> None:
    async with open_session(_settings()) as session:
        read = document_reader(session, _settings())
        refused = [f"{server}/keys", "file:///etc/passwd", "//x", "nonsense", "https://[", "ftp://app.example/"]
        refused += [
            "https://127.0.0.1/keys",
            "https://169.254.169.254/metadata",
            "https://[::1]/",
            "https://localhost/",
        ]
        for address in refused:
            with pytest.raises(StorageUnavailable):
                await read(address)


async def test_a_name_that_resolves_to_a_private_address_is_not_connected_to() -> None:
    class Inside(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

        async def close(self) -> None:
            pass

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    with listener:
        async with open_session(_settings(), Inside()) as session:
            with pytest.raises(StorageUnavailable):
                await document_reader(session, _settings())(f"https://keys.example:{listener.getsockname()[1]}/jwks")
        with pytest.raises(BlockingIOError):  # nobody has connected
            listener.accept()
