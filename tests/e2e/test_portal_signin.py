import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect, sync_playwright

from gateway.portal.sessions import IDLE_SECONDS, Seal
from tests.e2e.conftest import LocalCommand
from tests.e2e.entra_stack import EntraStack, entra_stack
from tests.e2e.portal_walk import check
from tests.e2e.test_portal import create_client, take_on_hospital, use_and_revoke

pytestmark = pytest.mark.e2e

CHROMIUM = Path("/usr/bin/chromium")
SESSION = "__Host-portal-session"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, run_local: LocalCommand) -> Iterator[EntraStack]:
    with entra_stack(tmp_path_factory.mktemp("entra"), run_local) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    # The gateway verifies the authority's certificate; the browser was not told of the test's root.
    context = chromium.new_context(locale="en-GB", ignore_https_errors=True)
    context.route("https://fonts.googleapis.com/**", lambda route: route.abort())
    context.set_default_timeout(20_000)
    yield context
    context.close()


def go_to_authority(page: Page, deployed: EntraStack, path: str = "") -> None:
    page.goto(f"{deployed.base_url}/portal/{path}")
    page.get_by_role("link", name="Sign in with Microsoft").click()
    expect(page.get_by_placeholder("Enter any login")).to_be_visible()
    assert page.url.startswith(deployed.authority)


def sign_in(page: Page, deployed: EntraStack, name: str, path: str = "") -> None:
    go_to_authority(page, deployed, path)
    with page.expect_navigation(url=f"{deployed.base_url}/**"):
        enter(page, name)
    page.wait_for_load_state()


def enter(page: Page, name: str) -> None:
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("anything")
    page.get_by_role("button", name="Sign-in").click()


def expect_refusal(page: Page, deployed: EntraStack, reason: str) -> None:
    expect(page.get_by_role("alert").locator("code")).to_have_text(reason)
    page.goto(f"{deployed.base_url}/portal/tenants")
    expect(page.get_by_role("link", name="Sign in with Microsoft")).to_be_visible()


def test_an_administrator_signs_in_and_out(context: BrowserContext, deployed: EntraStack) -> None:
    page = context.new_page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 -- Playwright cannot wrap a built-in method
    sign_in(page, deployed, "admin", "clients")
    # Where they were when they had to sign in; never with the code or the state in the address.
    expect(page).to_have_url(f"{deployed.base_url}/portal/clients")
    of_gateway = [urlsplit(request.url) for request in asked if request.url.startswith(deployed.base_url)]
    assert {name for url in of_gateway for name, _ in parse_qsl(url.query)} == {"next"}
    page.goto(f"{deployed.base_url}/portal/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    instances = {request.response().headers["x-instance"] for request in asked if deployed.base_url in request.url}  # type: ignore[union-attr]  # each was answered
    assert instances == {"0", "1"}

    kept = context.cookies(deployed.base_url)
    page.get_by_role("button", name="Sign out").click()
    # The authority asks, since it is not told who: then it sends back.
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page).to_have_url(f"{deployed.base_url}/portal/signed-out")
    expect(page.get_by_role("main").get_by_role("status")).to_have_text("You are signed out of the portal.")
    for _ in range(3):
        page.go_back()
        expect(page.get_by_role("link", name="Tenants")).to_have_count(0)
    page.goto(f"{deployed.base_url}/portal/tenants")
    expect(page.get_by_role("link", name="Sign in with Microsoft")).to_be_visible()
    # A copy of the cookie is dead on both instances.
    context.add_cookies([{**cookie} for cookie in kept])  # type: ignore[typeddict-item]  # what cookies() gave
    for _ in range(2):
        answer = page.goto(f"{deployed.base_url}/portal/tenants")
        assert answer
        assert answer.status == 401
    # Signed out there too: it asks who one is.
    go_to_authority(page, deployed)


def test_the_whole_way_after_signing_in(
    context: BrowserContext, deployed: EntraStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the sign-in to a revoked secret, each request answered by the next of two instances."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(deployed.certificate.root))
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=deployed.base_url)
    page = context.new_page()
    sign_in(page, deployed, "admin")
    fhir_version = take_on_hospital(page, deployed.stack)
    client = create_client(page)
    use_and_revoke(page, deployed.stack, fhir_version, client)
    page.goto(f"{deployed.base_url}/portal/audit")
    expect(page.get_by_text("admin@hospital.example (object-of-admin)").last).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pages_of_signing_in_are_for_everybody(chromium: Browser, deployed: EntraStack, language: str) -> None:
    locale = {"en": "en-GB", "zh": "zh-CN"}[language]
    context = chromium.new_context(locale=locale, ignore_https_errors=True)
    page = context.new_page()
    for path, name in (("", "sign-in"), ("signed-out", "signed-out"), ("sign-in/link?code=none", "link-refused")):
        page.goto(f"{deployed.base_url}/portal/{path}")
        expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-Hans"}[language])
        check(page, f"entra-{name}-{language}")
    context.route("https://fonts.googleapis.com/**", lambda route: route.abort())
    started = context.request.get(f"{deployed.base_url}/portal/sign-in", max_redirects=0)
    page.goto(started.headers["location"])
    enter(page, "visitor")
    expect(page.get_by_text("visitor@hospital.example").last).to_be_visible()
    check(page, f"entra-no-role-{language}")
    page.goto(f"{deployed.base_url}/portal/")
    page.evaluate(
        """document.body.insertAdjacentHTML('beforeend',
        '<form method="post" action="/portal/signed-in"><button id="none">x</button></form>')"""
    )
    page.locator("#none").click()
    expect(page.locator("code")).to_have_text("no_flow")
    check(page, f"entra-refused-{language}")
    context.close()


def test_cookies_over_https(context: BrowserContext, deployed: EntraStack) -> None:
    page = context.new_page()
    go_to_authority(page, deployed)
    (flow,) = [cookie for cookie in context.cookies(deployed.base_url) if "portal" in cookie["name"]]
    assert flow["name"] == "__Host-portal-sign-in"
    assert (flow["secure"], flow["httpOnly"], flow["sameSite"], flow["path"]) == (True, True, "None", "/")
    assert 0 < flow["expires"] - time.time() <= 15 * 60
    sign_in(page, deployed, "reader")
    (session,) = [cookie for cookie in context.cookies(deployed.base_url) if "portal" in cookie["name"]]
    assert session["name"] == SESSION
    assert (session["secure"], session["httpOnly"], session["sameSite"], session["path"]) == (True, True, "Lax", "/")
    assert session["domain"] == "localhost"
    assert session["expires"] == -1


def test_a_reader_sees_no_buttons_that_change_and_the_server_refuses_changes(
    context: BrowserContext, deployed: EntraStack
) -> None:
    page = context.new_page()
    sign_in(page, deployed, "reader")
    for path in ("", "tenants", f"tenants/{deployed.stack.tenants[0].tenant_id}", "clients", "audit", "connect"):
        answer = page.goto(f"{deployed.base_url}/portal/{path}")
        assert answer
        assert answer.status == 200, path
        forms = page.locator("form[method=post]").evaluate_all(
            "forms => forms.map(form => form.getAttribute('action'))"
        )
        assert set(forms) == {"/portal/language", "/portal/sign-out"}
        assert page.locator("main a[href$='/new']").count() == 0
    token = page.locator("input[name=csrf]").first.input_value()
    for path in ("clients/new", "tenants/new", f"tenants/{deployed.stack.tenants[0].tenant_id}/remove"):
        refusal = context.request.post(
            f"{deployed.base_url}/portal/{path}",
            form={"csrf": token, "name": "Sneaked in", "tenants": "*", "confirm": deployed.stack.tenants[0].name},
        )
        assert refusal.status == 403
        assert "You may only read" in refusal.text()
    page.goto(f"{deployed.base_url}/portal/clients")
    expect(page.get_by_text("Sneaked in")).to_have_count(0)


def test_somebody_without_a_role_is_told_what_to_ask_for(context: BrowserContext, deployed: EntraStack) -> None:
    page = context.new_page()
    sign_in(page, deployed, "visitor")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have no role here")
    expect(page.get_by_role("main").get_by_text("visitor@hospital.example")).to_be_visible()
    expect(page.get_by_text("Gateway.Reader")).to_be_visible()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_an_answer_with_another_state_is_refused(context: BrowserContext, deployed: EntraStack) -> None:
    page = context.new_page()

    def change(route: Route) -> None:
        form = dict(parse_qsl(route.request.post_data)) | {"state": "of-another-flow"}
        route.continue_(post_data=urlencode(form))

    page.route("**/portal/signed-in", change)
    sign_in(page, deployed, "admin")
    expect_refusal(page, deployed, "state_mismatch")


def test_an_id_token_with_another_nonce_is_refused(context: BrowserContext, deployed: EntraStack) -> None:
    page = context.new_page()

    def change(route: Route) -> None:
        url = urlsplit(route.request.url)
        query = dict(parse_qsl(url.query)) | {"nonce": "of-another-flow"}
        # A redirect, because what follows a redirect is not routed again.
        route.fulfill(status=302, headers={"Location": f"{url._replace(query=urlencode(query)).geturl()}&changed=1"})

    page.route(lambda url: "/auth?" in url and "changed" not in url, change)
    page.goto(f"{deployed.base_url}/portal/")
    started = context.request.get(f"{deployed.base_url}/portal/sign-in", max_redirects=0)
    page.goto(started.headers["location"])
    enter(page, "admin")
    expect_refusal(page, deployed, "answer_refused")


def test_an_answer_that_was_used_is_refused(context: BrowserContext, deployed: EntraStack, chromium: Browser) -> None:
    page = context.new_page()
    go_to_authority(page, deployed)
    kept = context.cookies(deployed.base_url)
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.post_data or "") if "signed-in" in request.url else None)
    enter(page, "admin")
    expect(page).to_have_url(f"{deployed.base_url}/portal/")
    (answer,) = posted

    # Somebody who has the answer and the browser's cookies of before comes too late, on either instance.
    thief = chromium.new_context(ignore_https_errors=True)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        thief.add_cookies([{**cookie} for cookie in kept])  # type: ignore[typeddict-item]  # what cookies() gave
        again = thief.request.post(f"{deployed.base_url}/portal/signed-in", data=answer, headers=headers)
        assert (again.status, "flow_used" in again.text()) == (403, True)
    # And the code is of no use to a flow of their own: the authority knows the verifier's challenge.
    started = thief.request.get(f"{deployed.base_url}/portal/sign-in", max_redirects=0)
    state = dict(parse_qsl(urlsplit(started.headers["location"]).query))["state"]
    code = dict(parse_qsl(answer))["code"]
    again = thief.request.post(f"{deployed.base_url}/portal/signed-in", form={"state": state, "code": code})
    assert (again.status, "invalid_grant" in again.text()) == (403, True)
    assert thief.request.get(f"{deployed.base_url}/portal/tenants").status == 401
    thief.close()


def test_a_session_that_was_idle_too_long_has_ended(context: BrowserContext, deployed: EntraStack) -> None:
    page = context.new_page()
    sign_in(page, deployed, "admin")
    (cookie,) = [cookie for cookie in context.cookies(deployed.base_url) if cookie["name"] == SESSION]
    # The same session, last seen earlier: the test has the deployment's key, so that it need not wait half an hour.
    seal = Seal(deployed.pepper(), time.time)
    session = seal.open(cookie["value"])
    assert session
    for seen, status in ((time.time() - IDLE_SECONDS + 60, 200), (time.time() - IDLE_SECONDS, 401)):
        value = seal.close(replace(session, seen=seen))
        context.add_cookies([{**cookie, "value": value}])  # type: ignore[typeddict-item]  # what cookies() gave
        answer = page.goto(f"{deployed.base_url}/portal/tenants")
        assert answer
        assert answer.status == status
    expect(page.get_by_role("main").get_by_role("status")).to_have_text(
        "Your session has ended. Sign in again to go on."
    )
