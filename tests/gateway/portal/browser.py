import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

from gateway.exchange import Request
from gateway.portal import Page, Portal

SEE_OTHER = 303


@dataclass
class Clock:
    at: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.at


@dataclass
class Browser:
    """Keeps cookies as a browser does, and sends forms with the token of the page that it saw last."""

    portal: Portal
    cookies: dict[str, str] = field(default_factory=dict)
    language: str = "en"
    token: str = ""

    async def get(self, path: str, query: str = "") -> Page:
        return await self._send("GET", path, query, b"")

    async def post(self, path: str, **fields: str | list[str]) -> Page:
        form = urlencode({"csrf": self.token} | fields, doseq=True).encode()
        return await self._send("POST", path, "", form)

    async def follow(self, page: Page) -> Page:
        """The page that a redirect leads to."""
        assert page.status == SEE_OTHER
        path, _, query = page.headers["Location"].removeprefix("/portal/").partition("?")
        return await self.get(path, query)

    async def _send(self, method: str, path: str, query: str, body: bytes) -> Page:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": cookie, "accept-language": self.language}
        page = await self.portal.handle(Request(method, path, query, headers, body, "test"))
        for line in page.cookies:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := re.search(rb'name="csrf" value="([0-9a-f]+)"', page.body):
            self.token = found[1].decode()
        return page
