"""An ASGI request in the form that the host hands to the Python worker."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local.worker.runtime import Datum
from local.worker.urls import encoded_path, query_parameters

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]

# Kestrel's request line, with room for the method and the version.
MAXIMUM_TARGET_BYTES = 8192 - len("OPTIONS  HTTP/1.1\r\n")
# FUNCTIONS_REQUEST_BODY_SIZE_LIMIT's default.
MAXIMUM_BODY_BYTES = 100 * 1024 * 1024


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


def header_fields(scope: Scope) -> dict[str, str]:
    """Return the request's headers: names in lower case, repeated ones joined with commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def declared_length(headers: dict[str, str]) -> int:
    """Return the bytes of body that the host reads: those of Content-Length, so none of a chunked body."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and "transfer-encoding" not in headers else 0


async def read_body(receive: Receive) -> bytes:
    """Return the whole body; raises ClientGoneError if it never arrives."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def request_datum(scope: Scope, path: str, headers: dict[str, str], parameters: dict[str, str], body: bytes) -> Any:  # noqa: ANN401 (the worker package has no types)
    """Return the ``http`` datum of a request; ``path`` is decoded."""
    query: str = scope["query_string"].decode("latin-1")
    url = f"{scope['scheme']}://{headers.get('host', 'localhost')}{encoded_path(path)}"
    return Datum(
        {
            "method": Datum(scope["method"], "string"),
            "url": Datum(f"{url}?{query}" if query else url, "string"),
            "headers": {name: Datum(value, "string") for name, value in headers.items()},
            "query": {name: Datum(value, "string") for name, value in query_parameters(query).items()},
            "params": {name: Datum(value, "string") for name, value in parameters.items()},
            "body": Datum(body, "bytes"),
        },
        "http",
    )
