"""What every trigger shares: the service, made at the first request, and the shape of requests and answers."""

import gc
from collections.abc import Awaitable, Callable
from functools import cached_property

import azure.functions as func

from gateway.exchange import Request, Response, Timing, request_id
from gateway.service import Service
from gateway.settings import Settings


class App:
    """The one thing that blueprints are given."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def service(self) -> Service:
        # Made within the first request: the host imports the app without an event loop.
        service = Service(self.settings)
        # What was loaded until now stays: without it in the collector's lists, a full collection no longer holds up
        # the requests under way for some 20 ms.
        gc.freeze()
        return service

    async def answer(
        self, http: func.HttpRequest, handle: Callable[[Request, Timing], Awaitable[Response]]
    ) -> func.HttpResponse:
        """Run a handler and send what it returns, with the correlation id and the time of every hop."""
        timing = Timing()
        request = to_request(http)
        response = await handle(request, timing)
        response.headers["X-Request-Id"] = request.request_id
        response.headers["Server-Timing"] = timing.header()
        return func.HttpResponse(
            response.body,
            status_code=response.status,
            headers=response.headers,
            # The host invents text/plain for an answer without a type, also for 204 and 304.
            mimetype=response.headers.get("Content-Type", "application/octet-stream").partition(";")[0],
        )


def to_request(http: func.HttpRequest) -> Request:
    return Request(
        method=http.method.upper(),
        path=http.route_params.get("path") or "",
        # Not http.params: the host joins repeated parameters with commas, which mean something else in FHIR.
        query=http.url.partition("?")[2],
        # As they are: the SDK's mapping has lower-case names, and few of many headers are asked for.
        headers=http.headers,
        body=http.get_body() or b"",
        request_id=request_id(http.headers.get("x-request-id")),
    )
