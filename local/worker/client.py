"""Sends requests to an ASGI application in this process, without a socket."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from local.worker.requests import Message, Receive, Scope, Send

type Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
type Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ClientResponse:
    """What the application sent; ``headers`` keeps order and repetition, names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the values of a header joined with commas, or None if it is absent."""
        values = self.header_values(name)
        return ", ".join(values) if values else None

    def header_values(self, name: str) -> list[str]:
        """Return every value of a header (Set-Cookie may repeat)."""
        return [value for key, value in self.headers if key == name.lower()]


class Client:
    """Calls an ASGI application; ``origin`` gives the scheme and the Host header of relative targets."""

    def __init__(self, application: Asgi, origin: str = "http://localhost:7071") -> None:
        self._application = application
        self._origin = origin

    async def request(
        self, method: str, target: str, *, headers: Headers = (), body: bytes | Sequence[bytes] = b""
    ) -> ClientResponse:
        """Send one request; a body given as a sequence of bytes goes out chunked, without Content-Length.

        ``target`` is a path with its query, sent as it stands, or a whole URL.
        """
        url = urlsplit(target if "://" in target else self._origin + target)
        fields = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers.items() if isinstance(headers, Mapping) else headers)
        ]
        names = {name for name, _ in fields}
        if b"host" not in names:
            fields.insert(0, (b"host", url.netloc.encode("ascii")))
        if not isinstance(body, bytes):
            fields.append((b"transfer-encoding", b"chunked"))
        elif (body or method in {"POST", "PUT", "PATCH"}) and b"content-length" not in names:
            fields.append((b"content-length", str(len(body)).encode("ascii")))
        exchange = _Exchange([body] if isinstance(body, bytes) else list(body))
        raw_path = (url.path or "/").encode("ascii")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": url.scheme,
            "path": url.path or "/",
            "raw_path": raw_path,
            "query_string": url.query.encode("ascii"),
            "root_path": "",
            "headers": fields,
            "client": ("127.0.0.1", 50000),
            "server": (url.hostname, url.port),
        }
        await self._application(scope, exchange.receive, exchange.send)
        return exchange.response()


class _Exchange:
    """The two channels of one request."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts
        self._start: Message | None = None
        self._body = bytearray()

    async def receive(self) -> Message:
        if not self._parts:
            return {"type": "http.disconnect"}
        part = self._parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self._parts)}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._body += message.get("body", b"")

    def response(self) -> ClientResponse:
        if self._start is None:
            raise RuntimeError("the application sent no response")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._start["headers"])
        return ClientResponse(self._start["status"], headers, bytes(self._body))
