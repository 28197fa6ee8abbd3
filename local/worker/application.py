"""The ASGI application that stands where the Azure Functions host stands."""

import logging
import uuid
from pathlib import Path
from typing import Any

from local.worker import runtime
from local.worker.errors import HostError
from local.worker.requests import (
    MAXIMUM_BODY_BYTES,
    MAXIMUM_TARGET_BYTES,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    declared_length,
    header_fields,
    read_body,
    request_datum,
)
from local.worker.responses import Response, ResponseRefusedError, empty, from_datum
from local.worker.routes import ALL_METHODS, HttpFunction, Router, check, in_host_order
from local.worker.settings import HostSettings, read_host_settings
from local.worker.urls import PathRefusedError, decoded_path

_log = logging.getLogger(__name__)


class Application:
    """A loaded function app as an ASGI application (``http`` and ``lifespan`` scopes).

    ``functions`` are its HTTP functions in the order in which they are tried; ``not_served`` names those with
    other triggers.
    """

    def __init__(self, functions: list[HttpFunction], not_served: list[str], settings: HostSettings) -> None:
        check(functions)
        self.functions = in_host_order(functions)
        self.not_served = not_served
        self.route_prefix = settings.route_prefix
        self._match = Router(functions, settings.route_prefix).match
        self._custom_headers = [
            (name.lower().encode("ascii"), value.encode("ascii")) for name, value in settings.custom_headers
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's lifespan."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        try:
            response = await self._respond(scope, receive)
        except ClientGoneError:
            return
        if self._custom_headers:
            present = {name for name, _ in response.headers}
            response.headers.extend(field for field in self._custom_headers if field[0] not in present)
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        raw_path = scope["raw_path"]
        if len(raw_path) + len(scope["query_string"]) > MAXIMUM_TARGET_BYTES:
            return empty(414)
        try:
            path = decoded_path(raw_path)
        except PathRefusedError as refused:
            return empty(refused.status)
        method = scope["method"]
        found = self._match(method, path)
        if found is None:
            return empty(404)
        function, parameters = found
        headers = header_fields(scope)
        length = declared_length(headers)
        if length > MAXIMUM_BODY_BYTES:
            return empty(413)
        body = await read_body(receive) if length else b""
        datum = request_datum(scope, path, headers, parameters, body)
        return await _invoke(function, datum, headers, method)


async def _invoke(function: HttpFunction, datum: Any, headers: dict[str, str], method: str) -> Response:  # noqa: ANN401 (the worker package has no types)
    ok, returned, _, _, _ = await runtime.invoke(
        str(uuid.uuid4()),
        function.function_id,
        [(function.parameter, datum)],
        {},
        headers.get("traceparent", ""),
        headers.get("tracestate", ""),
    )
    if not ok:
        # The worker has logged the exception with its traceback.
        _log.error("Function %s failed", function.name)
        return empty(500)
    try:
        return from_datum(returned, method)
    except ResponseRefusedError as refused:
        _log.error("Function %s: %s", function.name, refused)
        return empty(500)


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    runtime.start_threads()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    runtime.stop_threads()
    await send({"type": "lifespan.shutdown.complete"})


async def load(app_dir: Path) -> Application:
    """Load the function app in a directory; await it on the loop that will serve the requests.

    Raises HostError, with a line that says why, for an app that Azure would not serve as it was meant:
    one that fails at import, has no functions, refused routes or names, or an HTTP function with a key.
    """
    settings = read_host_settings(app_dir)
    indexed = await runtime.index(app_dir)
    if not indexed:
        raise HostError(f"no functions found in {app_dir / runtime.SCRIPT}")
    http, others = [], []
    for function in indexed:
        trigger = next((binding for binding in function.bindings if binding["type"] == "httpTrigger"), None)
        if trigger is None:
            others.append(function.name)
        else:
            http.append(_http_function(function, trigger))
    return Application(http, others, settings)


def _http_function(function: runtime.IndexedFunction, trigger: dict[str, Any]) -> HttpFunction:
    level = str(trigger.get("authLevel") or "function").lower()
    if level != "anonymous":
        raise HostError(
            f"function {function.name!r}: auth level {level!r} is refused, because Azure would read the "
            "query parameter 'code' (FHIR and OAuth have one) as a function key; use anonymous"
        )
    return HttpFunction(
        name=function.name,
        # Without a route of its own a function has its name for one.
        route=trigger.get("route") or function.name,
        methods=frozenset(str(method).upper() for method in trigger.get("methods") or ALL_METHODS),
        function_id=function.function_id,
        parameter=trigger["name"],
    )
