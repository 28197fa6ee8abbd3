"""The gateway's key sets on a socket, for authorization servers that fetch them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.functions.harness import Gateway


@asynccontextmanager
async def key_set_server(gateway: Gateway) -> AsyncIterator[str]:
    """The gateway in this process, on a socket, for the server that fetches its keys."""

    async def relay(request: web.Request) -> web.Response:
        answer = await gateway.caller.request("GET", request.path)
        return web.Response(status=answer.status, body=answer.body, content_type="application/json")

    application = web.Application()
    application.router.add_get("/{path:.*}", relay)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
