"""The addresses of signing in and out; who is signed in then is the session's matter."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from gateway.errors import StorageUnavailable
from gateway.exchange import Request
from gateway.manage.operators import Operator
from gateway.portal.cookies import Cookies
from gateway.portal.entra import AuthorityUnavailable, Entra, Flow, SignInRefused
from gateway.portal.local_link import LocalLink
from gateway.portal.pages import find
from gateway.portal.rendering import render
from gateway.portal.sealing import seal, unseal
from gateway.portal.sessions import Ended, Seal, Session, row_key
from gateway.portal.visits import Form, Page, redirect
from gateway.registry.expiring import ExpiringRows
from gateway.registry.models import now

FLOW_SECONDS = 15 * 60
"""How long somebody may take at the authority."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Visitor:
    """A browser, signed in or not: what its cookies say, and what opens and closes them."""

    language: str
    session: Session | None
    flow: str
    """The cookie of a sign-in under way, sealed with `flow_key`."""
    seal: Seal
    flow_key: bytes


@dataclass(frozen=True)
class SignIn:
    """`entra` and `link` are None where this deployment does not sign in that way. Every address works whichever
    instance answers it: what a flow must remember is in a sealed cookie, and that it was used is in Table Storage.
    """

    entra: Entra | None
    link: LocalLink | None
    cookies: Cookies
    rows: ExpiringRows
    ended: Ended
    clock: Callable[[], float]

    async def answer(self, path: str, request: Request, visitor: Visitor) -> Page | None:
        """The page of an address of its own, None for any other. Raises StorageUnavailable, SecretsUnavailable."""
        match request.method, path:
            case "GET", "sign-in/link":
                return await self._by_link(request, visitor)
            case "GET", "sign-in":
                return await self._begin(request, visitor)
            case "POST", "signed-in" if self.entra:
                return await self._finish(self.entra, request, visitor)
            case "GET", "signed-out":
                return redirect("/portal/") if visitor.session else self.page(visitor, "signed_out")
            case _:
                return None

    def page(self, visitor: Visitor, note: str = "", *, status: int = 200, reason: str = "", goal: str = "") -> Page:
        """The page that offers to sign in: `note` says why one is here, `reason` is an error's code."""
        text = render(
            "sign_in.html",
            visitor.language,
            session=None,
            path="",
            entra=self.entra is not None,
            local=self.link is not None,
            goal=goal if find("GET", goal) else "",
            note=note,
            reason=reason,
        )
        return Page(status, text)

    async def sign_out(self, visitor: Visitor, session: Session) -> Page:
        """Ends the session on all instances, then the authority's. Raises StorageUnavailable: then nothing ended."""
        await self.ended.end(session)
        gone = self.cookies.cleared(self.cookies.session)
        try:
            onward = await self.entra.sign_out_url() if self.entra and session.by_authority else ""
        except StorageUnavailable:
            onward = ""
        if not onward:
            return redirect("/portal/signed-out" if session.by_authority else "/portal/", gone)
        # No redirect: browsers hold the way of a form to the policy's `form-action`, which names this host only.
        text = render("signing_out.html", visitor.language, session=None, path="", onward=onward)
        return Page(200, text, {"Refresh": f"0; url={onward}"}, [gone])

    async def _by_link(self, request: Request, visitor: Visitor) -> Page:
        code = dict(parse_qsl(request.query)).get("code", "")
        operator = await self.link.take(code, self.clock()) if self.link else None
        if operator is None:
            return self.page(visitor, "link_used", status=403)
        return redirect("/portal/", await self._welcome(visitor, operator, by_authority=False))

    async def _begin(self, request: Request, visitor: Visitor) -> Page:
        goal = dict(parse_qsl(request.query)).get("next", "")
        if visitor.session:
            return redirect("/portal/")
        if self.entra is None:
            return self.page(visitor)
        try:
            flow = await self.entra.begin()
        except AuthorityUnavailable as error:
            return self._unavailable(visitor, error)
        fields = {"flow": flow, "goal": goal, "started": self.clock()}
        return redirect(
            flow["auth_uri"],
            # The answer is a form from the authority's site, with which browsers send no `Lax` cookie.
            self.cookies.set(self.cookies.flow, seal(visitor.flow_key, fields), seconds=FLOW_SECONDS, same_site="None"),
        )

    async def _finish(self, entra: Entra, request: Request, visitor: Visitor) -> Page:
        gone = self.cookies.set(self.cookies.flow, "", seconds=0, same_site="None")
        try:
            flow, goal = await self._flow(visitor)
            operator = await entra.finish(flow, dict(Form(request.body).fields))
        except SignInRefused as refused:
            _log.warning("sign-in to the portal was refused: %s", refused.reason)
            page = self.page(visitor, "sign_in_refused", status=403, reason=refused.reason)
        except AuthorityUnavailable as error:
            page = self._unavailable(visitor, error)
        else:
            target = goal if find("GET", goal) else ""
            page = redirect(f"/portal/{target}", await self._welcome(visitor, operator, by_authority=True))
        page.cookies.append(gone)
        return page

    async def _flow(self, visitor: Visitor) -> tuple[Flow, str]:
        """The flow of this browser and where it leads, once."""
        fields = unseal(visitor.flow_key, visitor.flow)
        if fields is None:
            raise SignInRefused("no_flow")
        ends = fields["started"] + FLOW_SECONDS
        if self.clock() >= ends:
            raise SignInRefused("flow_expired")
        if not await self.rows.add(row_key(f"flow {fields['flow']['state']}"), ends, now()):
            raise SignInRefused("flow_used")
        return fields["flow"], str(fields["goal"])

    async def _welcome(self, visitor: Visitor, operator: Operator, *, by_authority: bool) -> str:
        if visitor.session:
            await self.ended.end(visitor.session)
        session = Session.begin(operator, self.clock(), by_authority=by_authority)
        return self.cookies.set(self.cookies.session, visitor.seal.close(session))

    def _unavailable(self, visitor: Visitor, error: AuthorityUnavailable) -> Page:
        _log.error("sign-in to the portal is not possible: %s", error)
        return self.page(visitor, "authority_unavailable", status=503)
