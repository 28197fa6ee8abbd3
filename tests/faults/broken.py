"""What a broken FHIR server, or the network before it, does to an answer that has begun."""

import asyncio
from dataclasses import dataclass

from aiohttp import web

_FHIR = {"Content-Type": "application/fhir+json"}
_BEGINNING = b'{"resourceType":"Patient","id":"p0","name":[{"fam'


@dataclass(frozen=True)
class CutShort:
    """The connection is closed in good order before as many bytes as were announced, or before the last chunk."""

    announced: bool

    async def answer(self, request: web.Request) -> web.StreamResponse:
        length = {"Content-Length": "5000"} if self.announced else {}
        response = web.StreamResponse(headers=_FHIR | length)
        await response.prepare(request)
        await response.write(_BEGINNING)
        if request.transport is not None:
            request.transport.close()
        return response


@dataclass(frozen=True)
class Trickle:
    """The body comes byte by byte, `pause` seconds apart: never quiet for long, never done in time."""

    pause: float

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=_FHIR | {"Content-Length": "100000"})
        await response.prepare(request)
        for _ in range(100_000):
            try:
                await response.write(b" ")
            except ConnectionError:
                break
            await asyncio.sleep(self.pause)
        return response


@dataclass(frozen=True)
class Unasked:
    """A right answer, and some time later, on the same connection, one that nobody asked for."""

    late: float
    body: bytes

    async def answer(self, request: web.Request) -> web.StreamResponse | None:
        transport = request.transport
        if transport is not None:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"
            answer = head % len(self.body) + self.body
            asyncio.get_running_loop().call_later(self.late, transport.write, answer)
        return None
