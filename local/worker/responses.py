"""A function's result in the form that the host sends."""

from typing import Any, NamedTuple

from local.worker.cookies import set_cookie_values

# The server frames the message; what a function says about that is not sent.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"})
_WITHOUT_BODY = frozenset({204, 304})
_SMALLEST_STATUS = 200


class Response(NamedTuple):
    """A response ready for ASGI; header names are in lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class ResponseRefusedError(Exception):
    """The host's server cannot send this response; the message says why, without values."""


def empty(status: int) -> Response:
    """Return the host's own answer: a status and nothing else."""
    return Response(status, [(b"content-length", b"0")], b"")


def from_datum(datum: Any, method: str) -> Response:  # noqa: ANN401 (the worker package has no types)
    """Return the response for a function's return value, which is a text or an ``HttpResponse``.

    Of response headers with one name the last survives, except Set-Cookie. A body is measured but not sent
    for HEAD; 204 and 304 have none. Raises ResponseRefusedError.
    """
    if datum is None or datum.type is None:
        return Response(204, [], b"")
    if datum.type != "http":
        text = datum.value if isinstance(datum.value, bytes) else str(datum.value).encode()
        return _framed(200, {"content-type": "text/plain; charset=utf-8"}, [], text, method)
    value = datum.value
    status = int(value["status_code"].value)
    headers = {name.lower(): header.value for name, header in value["headers"].items()}
    cookies = set_cookie_values(value["cookies"]) if value["cookies"] else []
    return _framed(status, headers, cookies, value["body"].value, method)


def _framed(status: int, headers: dict[str, str], cookies: list[str], body: bytes, method: str) -> Response:
    if status < _SMALLEST_STATUS:
        raise ResponseRefusedError(f"status {status} is no final status")
    fields = []
    for name, value in headers.items():
        if name in _FRAMING:
            continue
        if not (value.isascii() and value.isprintable()):
            raise ResponseRefusedError(f"header {name} holds a control or non-ASCII character")
        fields.append((name.encode("ascii"), value.encode("ascii")))
    fields.extend((b"set-cookie", cookie.encode("ascii")) for cookie in cookies)
    if status in _WITHOUT_BODY:
        return Response(status, fields, b"")
    length = str(len(body))
    if method == "HEAD":
        # A function that answers HEAD without building the body may say how long it would have been.
        length = headers.get("content-length", length)
        body = b""
    fields.append((b"content-length", length.encode("ascii")))
    return Response(status, fields, body)
