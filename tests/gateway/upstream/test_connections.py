"""An answer that nobody asked for must not become the answer to the next request (RFC 9112 §9.2)."""

import asyncio

import pytest

from gateway.settings import Settings
from gateway.upstream.session import open_session

PLANTED, ASKED = b"planted", b"asked for"


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize("late", [0.0, 0.02])
async def test_an_answer_that_nobody_asked_for_is_nobodys(late: float, settings: Settings) -> None:
    connections = 0
    planted = asyncio.Queue[None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(answer(ASKED))
            await asyncio.sleep(late)
            writer.write(answer(PLANTED))
            planted.put_nowait(None)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, open_session(settings) as session:
        for _ in range(3):
            async with session.get(url) as got:
                assert await got.read() == ASKED
            await planted.get()
            await asyncio.sleep(0.02)
    assert connections == 3


async def test_a_connection_that_is_quiet_is_used_again(settings: Settings) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(answer(ASKED))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, open_session(settings) as session:
        for _ in range(3):
            async with session.get(url) as got:
                assert await got.read() == ASKED
    assert connections == 1
