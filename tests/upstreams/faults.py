"""What goes wrong with one answer of the emulated server."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web


class Fault(Protocol):
    async def answer(self, request: web.Request) -> web.StreamResponse | None:
        """Answer in the server's place; None lets it answer (late, perhaps)."""
        ...


@dataclass(frozen=True)
class Status:
    """An answer with this status and an OperationOutcome, and `Retry-After` when given."""

    status: int
    retry_after: str | None = None
    body: str = '{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"transient"}]}'

    async def answer(self, request: web.Request) -> web.StreamResponse:
        del request
        headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
        return web.Response(status=self.status, text=self.body, content_type="application/fhir+json", headers=headers)


@dataclass(frozen=True)
class Html:
    """An HTML page, as proxies put in front of a server that is down."""

    status: int = 200

    async def answer(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(status=self.status, text="<html><body>Down</body></html>", content_type="text/html")


@dataclass(frozen=True)
class Truncated:
    """JSON that breaks off, in a response that is complete for HTTP."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(text='{"resourceType":"Patient","name":[{"fam', content_type="application/fhir+json")


@dataclass(frozen=True)
class Reset:
    """The connection is reset: before the answer, or in the middle of its body."""

    mid_body: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100000", "Content-Type": "application/fhir+json"})
        if self.mid_body:
            await response.prepare(request)
            await response.write(b'{"resourceType":"Patient"')
        if request.transport is not None:
            request.transport.abort()
        return response


@dataclass(frozen=True)
class Slow:
    """The answer comes after so many seconds."""

    seconds: float

    async def answer(self, request: web.Request) -> None:
        del request
        await asyncio.sleep(self.seconds)


@dataclass(frozen=True)
class Redirect:
    """A redirect to an address, absolute or relative."""

    location: str
    status: int = 302

    async def answer(self, request: web.Request) -> web.StreamResponse:
        del request
        return web.Response(status=self.status, headers={"Location": self.location})


@dataclass(frozen=True)
class Endless:
    """A body of so many bytes, written chunk by chunk without a Content-Length."""

    size: int

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/fhir+json"})
        await response.prepare(request)
        chunk = b" " * 65536
        for _ in range(self.size // len(chunk)):
            try:
                await response.write(chunk)
            except ConnectionError:
                break
        return response
