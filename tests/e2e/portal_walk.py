"""What the portal's end-to-end tests do on a page."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from gateway.manage.operators import Operator
from gateway.portal.sessions import Seal, Session
from gateway.secrets import FileSecretStore
from gateway.tokens import Keys
from local import npm
from local.node import find_node
from local.places import REPOSITORY, TOOLS
from local.stack_file import Stack

SHOTS = TOOLS / "artefacts" / "portal"
PHONE = 360
_MOST_TABS = 60


def packages() -> Path:
    """The folder of the npm packages and scripts that these tests need, as their lock file pins them."""
    return npm.kept(find_node(), REPOSITORY / "tests" / "gateway" / "portal" / "packages", "portal")


def check(page: Page, name: str) -> None:
    """Nothing serious by axe in light and in dark, nothing wider than a phone; a screenshot in light and in dark."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    # Evaluated by the browser's own protocol, which the page's policy does not govern.
    page.evaluate(_axe())
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.screenshot(path=SHOTS / f"{name}-light.png", full_page=True)
    assert _serious(page, "axe.run()") == [], f"{name}, light"
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.screenshot(path=SHOTS / f"{name}-dark.png", full_page=True)
    # Dark is other colours and nothing else.
    assert _serious(page, "axe.run({runOnly: ['color-contrast']})") == [], f"{name}, dark"
    page.set_viewport_size({"width": PHONE, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, name
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


@cache
def _axe() -> str:
    return (packages() / "node_modules" / "axe-core" / "axe.min.js").read_text()


def _serious(page: Page, run: str) -> list[tuple[str, str]]:
    found = page.evaluate(run)["violations"]
    return [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in ("serious", "critical")]


def signed_in(chromium: Browser, stack: Stack, state: Path, role: str, **options: object) -> BrowserContext:
    """A browser with a session such as sign-in makes, for tests of what comes after it."""
    # In a thread of its own: Playwright's loop runs in this one.
    with ThreadPoolExecutor(1) as thread:
        pepper = thread.submit(lambda: asyncio.run(Keys(FileSecretStore(state / "keys")).pepper())).result()
    session = Session.begin(Operator("somebody", frozenset({role})), time.time())
    cookie = Seal(pepper, time.time).close(session)
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, **options)  # type: ignore[arg-type]  # of the test
    context.add_cookies([{"name": "portal-session", "value": cookie, "url": stack.base_url}])
    return context


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus, as somebody without a mouse does."""
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} cannot be reached with Tab")


def draw_token(stack: Stack, client_id: str, secret: str, tenant_id: str) -> requests.Response:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": tenant_id}
    return requests.post(stack.token_url, data=form, timeout=30)
