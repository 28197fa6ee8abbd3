"""What only a connection shows: framing, as Kestrel does it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from local.worker.application import load
from local.worker.server import bind, make_server

APP = """
    @app.route("it", methods=["GET", "HEAD", "POST"])
    async def it(req: func.HttpRequest) -> func.HttpResponse:
        status = int(req.params.get("status", 200))
        return func.HttpResponse(req.get_body() or b"nothing", status_code=status)
"""


@pytest.fixture
async def port(write_app: Callable[..., Path]) -> AsyncIterator[int]:
    application = await load(write_app(APP))
    with bind("127.0.0.1", 0) as listener:
        server = make_server(application)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        # The socket listens already: a request waits there until the server has started.
        yield listener.getsockname()[1]
        server.should_exit = True
        await serving


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("request_line", "status", "body"),
    [
        ("GET /api/it", b"200", b"nothing"),
        ("HEAD /api/it", b"200", b""),
        ("GET /api/it?status=204", b"204", b""),
        ("GET /api/it?status=304", b"304", b""),
        ("GET /api//it", b"404", b""),
        ("GET /api/it?" + "x" * 9000, b"414", b""),
    ],
)
async def test_one_connection(port: int, request_line: str, status: bytes, body: bytes) -> None:
    request = f"{request_line} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode()
    head, _, sent = (await exchange(port, request)).partition(b"\r\n\r\n")
    assert head.split(b" ")[1] == status
    assert sent == body
    assert (b"content-length: 7" in head) == (status == b"200")


async def test_a_chunked_request_arrives_empty_and_the_connection_goes_on(port: int) -> None:
    chunked = b"POST /api/it HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    following = b"POST /api/it HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    answer = await exchange(port, chunked + following)
    first, second = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert first.endswith(b"\r\n\r\nnothing")
    assert second.endswith(b"\r\n\r\nabc")
