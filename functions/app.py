"""What every trigger shares: the service, made at the first request, and the shape of requests and answers."""

import gc
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING

import azure.functions as func

from gateway.exchange import Request, Response, Timing, request_id
from gateway.service import Service
from gateway.settings import Settings
from gateway.telemetry.events import REQUEST_FAILED, place_of

if TYPE_CHECKING:
    from gateway.telemetry.observing import Telemetry

type Handler = Callable[[Request, Timing], Awaitable[Response]]

_OBJECTS_BETWEEN_COLLECTIONS = 10_000
_DEFECT_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class App:
    """The one thing that blueprints are given."""

    def __init__(self, settings: Settings, telemetry: "Telemetry | None" = None) -> None:
        self.settings = settings
        self._telemetry = telemetry

    @cached_property
    def service(self) -> Service:
        # Made within the first request: the host imports the app without an event loop.
        service = Service(self.settings, self._telemetry)
        # What was loaded until now stays: without it in the collector's lists, a full collection no longer holds up
        # the requests under way for some 20 ms. And one searchset makes thousands of objects, none of them garbage yet.
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        return service

    async def answer(self, http: func.HttpRequest, handle: Handler) -> func.HttpResponse:
        """Run a handler and send what it returns, with the correlation id and the time of every hop; within a span of
        its own, where telemetry is on.
        """
        if self._telemetry is None:
            return await _answer(http, handle, Timing())
        with self._telemetry.request(http.method.upper(), http.url, http.headers) as observed:
            response = await _answer(http, handle, observed.timing)
            observed.status = response.status_code
        return response


async def _answer(http: func.HttpRequest, handle: Handler, timing: Timing) -> func.HttpResponse:
    request = _to_request(http)
    try:
        response = await handle(request, timing)
    except Exception as error:  # noqa: BLE001  # the host would write its text, which may quote a hospital's answer
        tell_defect(error, request)
        response = Response(500, b'{"error":"internal_error"}', dict(_DEFECT_HEADERS))
    response.headers["X-Request-Id"] = request.request_id
    response.headers["Server-Timing"] = timing.header()
    answer = func.HttpResponse(
        response.body,
        status_code=response.status,
        headers=response.headers,
        # The host invents text/plain for an answer without a type, also for 204 and 304.
        mimetype=response.headers.get("Content-Type", "application/octet-stream").partition(";")[0],
    )
    for cookie in response.cookies:
        answer.headers.add("Set-Cookie", cookie)
    return answer


def tell_defect(error: Exception, request: Request) -> None:
    """Log where a request failed; the exception's text may quote what a hospital sent."""
    where = place_of(error.__traceback__)
    REQUEST_FAILED.log(error=type(error).__name__, where=where, correlation_id=request.request_id)


def _to_request(http: func.HttpRequest) -> Request:
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
