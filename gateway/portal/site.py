import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from gateway.errors import GatewayError, StorageUnavailable
from gateway.exchange import Request
from gateway.manage.operations import Operations
from gateway.manage.operators import ADMIN, READER
from gateway.portal.languages import LANGUAGES, chosen
from gateway.portal.local_link import LocalLink
from gateway.portal.pages import find
from gateway.portal.rendering import HEADERS, STATIC, render, static
from gateway.portal.sessions import Seal, Session
from gateway.portal.visits import Form, Page, Visit, redirect
from gateway.registry.secret_values import Pepper
from gateway.secrets import SecretStore, SecretsUnavailable
from gateway.settings import Settings

MAX_FORM_BYTES = 65_536
_LANGUAGE_COOKIE = "portal-language"
_YEAR_SECONDS = 365 * 86_400


@dataclass
class Portal:
    """Answers everything below `/portal`. Never raises GatewayError."""

    settings: Settings
    operations: Operations
    secrets: SecretStore
    pepper: Callable[[], Awaitable[Pepper]]
    clock: Callable[[], float] = time.time
    link: LocalLink = field(init=False)

    def __post_init__(self) -> None:
        self.link = LocalLink(self.secrets)
        self._secure = self.settings.base_url.startswith("https:")
        self._cookie = "__Host-portal-session" if self._secure else "portal-session"

    async def handle(self, request: Request) -> Page:
        path = request.path.strip("/")
        if path.startswith("static/") and (name := path.removeprefix("static/")) in STATIC:
            return Page(200, static(name), {**HEADERS, "Content-Type": STATIC[name], "Cache-Control": "max-age=300"})
        cookies = _cookies(request.headers.get("cookie", ""))
        language = chosen(cookies.get(_LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))
        try:
            seal = Seal(await self.pepper(), self.clock)
            session = seal.open(cookies.get(self._cookie, ""))
            page = await self._page(path, request, language, seal, session)
        except (GatewayError, SecretsUnavailable) as error:
            failure = error if isinstance(error, GatewayError) else StorageUnavailable(str(error))
            text = render("message.html", language, session=None, path="", title="failed", text=failure.public, next="")
            page = Page(failure.status, text)
            session = None
        if session and path != "sign-out" and (renewed := session.renewed(self.clock())):
            page.cookies.append(self._set(self._cookie, seal.close(renewed)))
        page.headers = {**HEADERS, "Content-Type": "text/html; charset=utf-8", **page.headers}
        return page

    async def _page(self, path: str, request: Request, language: str, seal: Seal, session: Session | None) -> Page:
        posted = request.method == "POST"
        form = Form(request.body if posted and len(request.body) <= MAX_FORM_BYTES else b"")
        if path == "language" and posted:
            # Without a form token: it works before sign-in, and changes nothing but the words on the page.
            wanted = form["language"] if form["language"] in LANGUAGES else "en"
            return redirect("/portal/", self._set(_LANGUAGE_COOKIE, wanted, f"; Max-Age={_YEAR_SECONDS}"))
        if path == "sign-in/link" and request.method == "GET":
            return await self._sign_in(request, language, seal)
        if session is None:
            text = render("sign_in.html", language, session=None, path="", local=self._local, used=False)
            return Page(200 if path == "" else 401, text)
        visit = Visit(self.settings, self.operations, request, session, language, seal.form_token(session), form)
        if posted and not seal.accepts(session, form["csrf"]):
            return visit.message("form_refused", 403)
        if path == "sign-out" and posted:
            return redirect("/portal/", self._set(self._cookie, "", "; Max-Age=0"))
        return await _visited(visit, path)

    @property
    def _local(self) -> bool:
        return self.settings.key_vault_url is None

    async def _sign_in(self, request: Request, language: str, seal: Seal) -> Page:
        code = dict(parse_qsl(request.query)).get("code", "")
        operator = await self.link.take(code, self.clock()) if self._local else None
        if operator is None:
            return Page(403, render("sign_in.html", language, session=None, path="", local=self._local, used=True))
        session = Session.begin(operator, self.clock())
        return redirect("/portal/", self._set(self._cookie, seal.close(session)))

    def _set(self, name: str, value: str, more: str = "") -> str:
        secure = "; Secure" if self._secure else ""
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}"


async def _visited(visit: Visit, path: str) -> Page:
    if not {ADMIN, READER} & set(visit.session.roles):
        return visit.message("role_missing", 403)
    if visit.request.method == "POST" and not visit.session.may_change:
        return visit.message("reader_refused", 403)
    found = find(visit.request.method, path)
    try:
        return await found(visit) if found else visit.message("not_found", 404)
    except GatewayError as error:
        return visit.message("failed", error.status, error.public)


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
