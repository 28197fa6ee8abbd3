"""A proxy function that hands on what it is asked and what it gets, byte for byte: the least that a gateway in Python
costs on this host. `UPSTREAM` is the URL that it asks, without what follows `/api/`.
"""

import os

import aiohttp
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_sessions: list[aiohttp.ClientSession] = []


def _session() -> aiohttp.ClientSession:
    # Made within the first request: the host imports the app without an event loop.
    if not _sessions:
        _sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    return _sessions[0]


@app.route("{*path}", methods=["GET"])
async def hand_on(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the upstream's status, type and bytes."""
    rest = req.url.partition("/api/")[2]
    async with _session().get(f"{os.environ['UPSTREAM']}/{rest}") as answer:
        body = await answer.read()
        return func.HttpResponse(body, status_code=answer.status, mimetype=answer.content_type)
