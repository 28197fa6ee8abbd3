from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from gateway.audit import By
from gateway.exchange import Request, Response
from gateway.manage.operations import Operations
from gateway.portal.rendering import render
from gateway.portal.sessions import Session
from gateway.settings import Settings

_SEE_OTHER = 303


@dataclass
class Page(Response):
    """A response that collects cookies."""

    cookies: list[str] = field(default_factory=list)


class Form:
    """The fields of a form: `form["name"]` is the stripped value, empty when it was not sent."""

    def __init__(self, body: bytes) -> None:
        self.fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        self._last = dict(self.fields)

    def __getitem__(self, name: str) -> str:
        return self._last.get(name, "").strip()


@dataclass(frozen=True)
class Visit:
    """One request of somebody who is signed in."""

    settings: Settings
    operations: Operations
    request: Request
    session: Session
    language: str
    form_token: str
    form: Form

    @property
    def by(self) -> By:
        return By(self.session.name, "portal", self.request.request_id)

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.request.query))

    @property
    def subject(self) -> str:
        """The id in `tenants/{id}/…` and `clients/{id}/…`."""
        return self.request.path.strip("/").split("/")[1]

    def show(self, template: str, status: int = 200, **values: object) -> Page:
        here = self.request.path.strip("/")
        shared = {"session": self.session, "csrf": self.form_token, "path": here.partition("/")[0], "here": here}
        return Page(status, render(template, self.language, **shared, **values))

    def message(self, key: str, status: int, text: str = "") -> Page:
        """A page that says what happened and, under the key's `_next`, what to do."""
        return self.show("message.html", status, title=key, text=text, next=f"{key}_next")


def redirect(to: str, *cookies: str) -> Page:
    return Page(_SEE_OTHER, b"", {"Location": to}, list(cookies))
