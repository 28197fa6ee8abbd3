"""Which page answers which address."""

import re
from collections.abc import Awaitable, Callable

from gateway.portal import audit_pages, client_pages, connect_pages, overview_pages, take_on_pages, tenant_pages
from gateway.portal.visits import Page, Visit

type Handler = Callable[[Visit], Awaitable[Page]]

_ID = "[0-9a-f-]{36}"
_PAGES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", overview_pages.overview),
    ("GET", "audit", audit_pages.audit),
    ("GET", "connect", connect_pages.connect),
    ("GET", "tenants", tenant_pages.listing),
    ("GET", "tenants/new", take_on_pages.new),
    ("POST", "tenants/new", take_on_pages.advance),
    ("GET", f"tenants/{_ID}", tenant_pages.edit),
    ("POST", f"tenants/{_ID}", tenant_pages.update),
    ("GET", f"tenants/{_ID}/check", tenant_pages.last_check),
    ("POST", f"tenants/{_ID}/check", tenant_pages.check),
    ("POST", f"tenants/{_ID}/remove", tenant_pages.remove),
    ("GET", "clients", client_pages.listing),
    ("GET", "clients/new", client_pages.new),
    ("POST", "clients/new", client_pages.create),
    ("GET", f"clients/{_ID}", client_pages.show),
    ("POST", f"clients/{_ID}", client_pages.update),
    ("POST", f"clients/{_ID}/secrets", client_pages.add_secret),
    ("POST", f"clients/{_ID}/revoke", client_pages.revoke_secret),
    ("POST", f"clients/{_ID}/remove", client_pages.remove),
)


def find(method: str, path: str) -> Handler | None:
    """None: there is no such page, or it does not take that method."""
    method = "GET" if method == "HEAD" else method
    return next((page for known, form, page in _PAGES if known == method and re.fullmatch(form, path)), None)
