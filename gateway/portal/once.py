"""What the page after a redirect shows once: a new secret, warnings. So a reload repeats nothing.

It travels in a cookie, sealed with a key of the session and of that page, and is gone with the first look. Nothing is
kept on the server, so whichever instance answers can show it.
"""

import hashlib
import time
from typing import Any

from gateway.portal.cookies import Cookies, parse
from gateway.portal.sealing import seal, unseal
from gateway.portal.visits import Page, Visit, redirect

_SECONDS = 120
# A browser takes 4096 characters for a cookie; warnings may name many tenants.
_MOST_WARNINGS = 10
_MOST_CHARACTERS = 200


def redirect_telling(visit: Visit, path: str, *, value: str = "", warnings: tuple[str, ...] = ()) -> Page:
    """To `path`, whose next page `told` tells these."""
    shown = [text[:_MOST_CHARACTERS] for text in warnings[:_MOST_WARNINGS]]
    facts = {"value": value, "warnings": shown, "until": time.time() + _SECONDS}
    cookies, name = _jar(visit)
    return redirect(path, cookies.set(name, seal(_key(visit, path), facts), seconds=_SECONDS))


def told(visit: Visit) -> tuple[dict[str, Any], list[str]]:
    """`value` and `warnings` for this page, and the cookies that make the browser forget them; both empty mostly."""
    nothing: dict[str, Any] = {"value": "", "warnings": []}
    cookies, name = _jar(visit)
    sealed = parse(visit.request.headers.get("cookie", "")).get(name)
    if not sealed:
        return nothing, []
    facts = unseal(_key(visit, f"/portal/{visit.request.path.strip('/')}"), sealed)
    return (facts if facts and facts["until"] > time.time() else nothing), [cookies.cleared(name)]


def _jar(visit: Visit) -> tuple[Cookies, str]:
    https = visit.settings.base_url.startswith("https:")
    return Cookies(https=https), "__Host-portal-once" if https else "portal-once"


def _key(visit: Visit, path: str) -> bytes:
    # The form token is a keyed hash of the session that only the server can make.
    return hashlib.sha256(f"portal once\n{visit.form_token}\n{path}".encode()).digest()
