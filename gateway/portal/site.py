import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.errors import GatewayError, StorageUnavailable
from gateway.exchange import Request
from gateway.manage.operations import Operations
from gateway.manage.operators import ADMIN, READER
from gateway.portal.cookies import Cookies, parse
from gateway.portal.entra import Entra
from gateway.portal.languages import LANGUAGES, chosen
from gateway.portal.local_link import LocalLink
from gateway.portal.pages import find
from gateway.portal.rendering import HEADERS, STATIC, render, static
from gateway.portal.sessions import Ended, Seal
from gateway.portal.sign_in import SignIn, Visitor
from gateway.portal.visits import Form, Page, Visit, redirect
from gateway.registry.expiring import ExpiringRows
from gateway.registry.secret_values import Pepper
from gateway.secrets import SecretStore, SecretsUnavailable
from gateway.settings import Settings

MAX_FORM_BYTES = 65_536
_YEAR_SECONDS = 365 * 86_400


@dataclass
class Portal:
    """Answers everything below `/portal`. Never raises GatewayError."""

    settings: Settings
    operations: Operations
    secrets: SecretStore
    pepper: Callable[[], Awaitable[Pepper]]
    rows: ExpiringRows
    """Which sessions and sign-ins have ended, in table `signins`."""
    entra: Entra | None
    clock: Callable[[], float] = time.time
    sign_in: SignIn = field(init=False)

    def __post_init__(self) -> None:
        self._cookies = Cookies(https=self.settings.base_url.startswith("https:"))
        self._ended = Ended(self.rows)
        link = None if self.settings.key_vault_url else LocalLink(self.secrets)
        self.sign_in = SignIn(self.entra, link, self._cookies, self.rows, self._ended, self.clock)

    async def handle(self, request: Request) -> Page:
        path = request.path.strip("/")
        if path.startswith("static/") and (name := path.removeprefix("static/")) in STATIC:
            return Page(200, static(name), {**HEADERS, "Content-Type": STATIC[name], "Cache-Control": "max-age=300"})
        sent = parse(request.headers.get("cookie", ""))
        language = chosen(sent.get(self._cookies.language, ""), request.headers.get("accept-language", ""))
        if request.method == "POST" and len(request.body) > MAX_FORM_BYTES:
            request = Request(request.method, request.path, request.query, request.headers, b"", request.request_id)
        try:
            page = await self._page(path, request, sent, await self._visitor(sent, language))
        except (GatewayError, SecretsUnavailable) as error:
            failure = error if isinstance(error, GatewayError) else StorageUnavailable(str(error))
            text = render("message.html", language, session=None, path="", title="failed", text=failure.public, next="")
            page = Page(failure.status, text)
        page.headers = {**HEADERS, "Content-Type": "text/html; charset=utf-8", **page.headers}
        return page

    async def _visitor(self, sent: dict[str, str], language: str) -> Visitor:
        pepper = await self.pepper()
        seal = Seal(pepper, self.clock)
        session = seal.open(sent.get(self._cookies.session, ""))
        if session and await self._ended.includes(session):
            session = None
        flow_key = pepper.derived("portal sign-in", pepper.newest)
        return Visitor(language, session, sent.get(self._cookies.flow, ""), seal, flow_key)

    async def _page(self, path: str, request: Request, sent: dict[str, str], visitor: Visitor) -> Page:
        posted = request.method == "POST"
        form = Form(request.body if posted else b"")
        if path == "language" and posted:
            # Without a form token: it works before sign-in, and changes nothing but the words on the page.
            wanted = form["language"] if form["language"] in LANGUAGES else "en"
            # Only to a page of the portal's own: what is sent could lead anywhere.
            back = form["back"] if find("GET", form["back"]) else ""
            return redirect(f"/portal/{back}", self._cookies.set(self._cookies.language, wanted, seconds=_YEAR_SECONDS))
        if answer := await self.sign_in.answer(path, request, visitor):
            return answer
        session, seal = visitor.session, visitor.seal
        if session is None:
            note = "session_ended" if sent.get(self._cookies.session) else ""
            return self.sign_in.page(visitor, note, status=401 if path else 200, goal=path)
        visit = Visit(
            self.settings, self.operations, request, session, visitor.language, seal.form_token(session), form
        )
        if posted and not seal.accepts(session, form["csrf"]):
            return visit.message("form_refused", 403)
        if path == "sign-out" and posted:
            return await self.sign_in.sign_out(visitor, session)
        page = await _visited(visit, path)
        if renewed := session.renewed(self.clock()):
            page.cookies.append(self._cookies.set(self._cookies.session, seal.close(renewed)))
        return page


async def _visited(visit: Visit, path: str) -> Page:
    if not {ADMIN, READER} & set(visit.session.roles):
        return visit.show("no_role.html", 403)
    if visit.request.method == "POST" and not visit.session.may_change:
        return visit.message("reader_refused", 403)
    found = find(visit.request.method, path)
    try:
        return await found(visit) if found else visit.message("not_found", 404)
    except GatewayError as error:
        return visit.message("failed", error.status, error.public)
