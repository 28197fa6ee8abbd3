from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever JSON the server sent
        return orjson.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [entry["resource"]["id"] for entry in self.json.get("entry", [])]


class Client:
    """Speaks ASGI to a hospital's application; paths are below its base unless they start with a slash."""

    def __init__(self, app: ASGIApp, base_path: str, headers: dict[str, str] | None = None) -> None:
        self._app = app
        self._base_path = base_path
        self._headers = {"host": "ehr.test:81"} | (headers or {})

    async def get(self, url: str, **headers: str) -> Reply:
        return await self.send("GET", url, b"", **headers)

    async def form(self, url: str, body: str, **headers: str) -> Reply:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self.send("POST", url, body.encode(), **(kind | headers))

    async def send(self, method: str, url: str, body: bytes, **headers: str) -> Reply:
        path, _, query = url.removeprefix("http://ehr.test:81").partition("?")
        if not path.startswith("/"):
            path = f"{self._base_path}/{path}".rstrip("/")
        names = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in names.items()],
            "server": ("127.0.0.1", 81),
            "client": ("127.0.0.1", 1),
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        start = messages[0]
        reply_headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], reply_headers, b"".join(part.get("body", b"") for part in messages[1:]))
