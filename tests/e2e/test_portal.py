import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from gateway.manage.operators import ADMIN, READER
from local.node import find_node
from local.stack_file import Stack, read_stack
from tests.e2e.conftest import LocalCommand, own_environment
from tests.e2e.portal_walk import check, draw_token, signed_in, tab_to

pytestmark = pytest.mark.e2e

CHROMIUM = Path("/usr/bin/chromium")
TTL_SECONDS = 2
TENANT = "6f1d2c3b-4a59-4e68-9d77-8c869ba5b4c3"
BY_KEYBOARD = "0a1b2c3d-4a59-4e68-9d77-8c869ba5b4c3"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("portal")


@pytest.fixture(scope="module")
def portal_stack(state: Path, run_local: LocalCommand) -> Iterator[Stack]:
    """A stack of its own, whose link nobody used and whose caches are short."""
    environment = own_environment(state) | {"CACHE_TTL_SECONDS": str(TTL_SECONDS)}
    up = run_local("up", environment)
    assert up.returncode == 0, up.stdout + up.stderr
    running = read_stack(state)
    assert running is not None
    yield running
    run_local("down", environment)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def take_on_hospital(page: Page, stack: Stack) -> str:
    """Through every step, with the credential typed in; the version of its server."""
    hospital = next(tenant for tenant in stack.tenants if tenant.name.startswith("Lakeside"))
    page.get_by_role("link", name="Tenants").first.click()
    page.get_by_role("link", name="Take on a hospital").click()
    page.get_by_label("FHIR URL").fill(f"{hospital.fhir_url}/metadata")
    page.get_by_role("button", name="Look at this server").click()
    expect(page.get_by_role("status").first).to_contain_text(hospital.fhir_version)
    page.get_by_label("Name", exact=True).fill("East Wing")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("alert")).to_contain_text("Entra tenant id: is missing")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Name", exact=True)).to_have_value("East Wing")
    page.get_by_label("Entra tenant id").fill(TENANT)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("status").first).to_have_text("The gateway gets in and reads.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("East Wing")
    page.get_by_role("button", name="Check for the Patients app").click()
    expect(page.get_by_role("link", name="Full report (HTML)")).to_be_visible(timeout=60_000)
    page.get_by_text("passed", exact=False).last.click()
    expect(page.get_by_role("row", name="Patients are searched by POST")).to_be_visible()
    for name in ("HTML", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("link", name=f"Full report ({name})").click()
        text = download.value.path().read_text("utf-8")
        assert hospital.fhir_url in text
        assert (
            text.startswith("<!doctype html>") if name == "HTML" else json.loads(text)["subject"]["name"] == "East Wing"
        )
    return hospital.fhir_version


def create_client(page: Page) -> tuple[str, str]:
    """Its id, and its secret as the clipboard got it."""
    page.get_by_role("link", name="Clients").click()
    page.get_by_role("link", name="Create a client").click()
    page.get_by_label("Name").fill("Ward screen")
    page.get_by_role("radio", name="Only these").check()
    page.get_by_label("East Wing").check()
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    secret = str(page.evaluate("navigator.clipboard.readText()"))
    assert page.content().count(secret) == 1
    assert secret not in page.url
    client_id = page.locator("#client-id").inner_text()
    page.reload()
    assert secret not in page.content()
    expect(page.get_by_role("button", name="Revoke")).to_have_count(1)
    return client_id, secret


def use_and_revoke(page: Page, stack: Stack, fhir_version: str, client: tuple[str, str]) -> None:
    granted = draw_token(stack, *client, TENANT)
    headers = {"Authorization": f"Bearer {granted.json()['access_token']}"}
    patients = f"{stack.fhir_base_url}/{fhir_version}/Patient?_count=1"
    answer = requests.get(patients, headers=headers, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["entry"][0]["resource"]["resourceType"] == "Patient"
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("cell", name="Revoked")).to_be_visible()
    # "Within the TTL": after it, and what the machine needs to answer.
    time.sleep(TTL_SECONDS + 0.5)
    assert requests.get(patients, headers=headers, timeout=30).status_code == 401
    assert draw_token(stack, *client, TENANT).status_code == 401


def test_the_whole_way_of_an_administrator(portal_stack: Stack, chromium: Browser) -> None:
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=portal_stack.base_url)
    page = context.new_page()
    said: list[ConsoleMessage] = []
    page.on("console", lambda message: said.append(message))  # noqa: PLW0108 -- Playwright cannot wrap a built-in method
    assert portal_stack.portal_url
    page.goto(f"{portal_stack.base_url}/portal/")
    check(page, "sign-in-en")
    page.goto(portal_stack.portal_url)
    expect(page).to_have_url(f"{portal_stack.base_url}/portal/")
    expect(page.get_by_text("Answers").first).to_be_visible()

    fhir_version = take_on_hospital(page, portal_stack)
    client = create_client(page)
    use_and_revoke(page, portal_stack, fhir_version, client)

    page.get_by_role("link", name="Its changes").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("审计")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    check(page, "sign-in-zh")
    page.goto(portal_stack.portal_url)
    expect(page.get_by_role("alert")).to_be_visible()
    assert [message.text for message in said if "Content Security Policy" in message.text] == []
    context.close()


def pages(page: Page, stack: Stack) -> Iterator[str]:
    """Every page in turn, each step and an error of the take-on among them; its name."""
    portal = f"{stack.base_url}/portal"
    tenant = next(tenant for tenant in stack.tenants if tenant.name.startswith("Lakeside"))
    for name in ("", "tenants", "clients", "clients/new", "audit", f"tenants/{tenant.tenant_id}"):
        page.goto(f"{portal}/{name}")
        yield {"": "overview", f"tenants/{tenant.tenant_id}": "tenant"}.get(name, name.replace("/", "-"))
    page.goto(f"{portal}/connect?client={stack.clients[0].client_id}&tenant={tenant.tenant_id}")
    yield "connect"
    page.goto(f"{portal}/clients/{stack.clients[0].client_id}")
    page.locator("[name=description]").fill("Key vault of the app")
    page.locator("form[action$=secrets] .primary").click()
    yield "client-secret"
    page.locator("[name=jwks]").fill("{")
    page.locator("button[value=save]").click()
    yield "client-error"
    page.goto(f"{portal}/tenants/new")
    yield "tenant-new"
    page.locator("[name=fhir_url]").fill("http://127.0.0.1:9/fhir")
    page.locator("button[value=detect]").click()
    yield "tenant-new-error"
    page.locator("[name=fhir_url]").fill(tenant.fhir_url)
    page.locator("button[value=detect]").click()
    page.locator("[value='private-key-jwt']").check()
    yield "tenant-new-credentials"
    page.locator("[name='auth.kind'][value=none]").check()
    page.locator("[name=name]").fill("East Wing")
    page.locator("[name=tenant_id]").fill("1e2d3c4b-4a59-4e68-9d77-8c869ba5b4c3")
    page.locator("button[value=test]").click()
    yield "tenant-new-test"
    page.goto(f"{portal}/tenants/{tenant.tenant_id}")
    page.locator("form[action$=check] button").click()
    page.locator("a[download]").first.wait_for(timeout=60_000)
    yield "check"
    page.goto(f"{portal}/tenants/{stack.tenants[1].tenant_id}/check")
    yield "check-none"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_for_everybody(portal_stack: Stack, state: Path, chromium: Browser, language: str) -> None:
    client, tenant = portal_stack.clients[0], portal_stack.tenants[0]
    token = draw_token(portal_stack, client.client_id, client.client_secret, tenant.tenant_id).json()["access_token"]
    for _ in range(5):
        headers = {"Authorization": f"Bearer {token}"}
        requests.get(f"{portal_stack.fhir_base_url}/Patient?_count=1", headers=headers, timeout=30)
    context = signed_in(chromium, portal_stack, state, ADMIN, locale={"en": "en-GB", "zh": "zh-CN"}[language])
    page = context.new_page()
    for name in pages(page, portal_stack):
        expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-Hans"}[language])
        check(page, f"{name}-{language}")
    context.close()


def test_the_main_way_by_keyboard_and_without_scripts(portal_stack: Stack, state: Path, chromium: Browser) -> None:
    hospital = next(tenant for tenant in portal_stack.tenants if tenant.name.startswith("Lakeside"))
    context = signed_in(chromium, portal_stack, state, ADMIN, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{portal_stack.base_url}/portal/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keys = page.keyboard
    for name in ("Tenants", "Take on a hospital"):
        tab_to(page, page.get_by_role("link", name=name).first)
        keys.press("Enter")
    tab_to(page, page.get_by_label("FHIR URL"))
    keys.type(hospital.fhir_url)
    keys.press("Enter")
    tab_to(page, page.get_by_label("Name", exact=True))
    keys.type("Night Ward")
    tab_to(page, page.get_by_label("Entra tenant id"))
    keys.type(BY_KEYBOARD)
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_have_text("The gateway gets in and reads.")
    tab_to(page, page.get_by_role("button", name="Save", exact=True))
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Night Ward")

    for name in ("Clients", "Create a client"):
        tab_to(page, page.get_by_role("link", name=name).first)
        keys.press("Enter")
    tab_to(page, page.get_by_label("Name"))
    keys.type("Keyboard")
    keys.press("Enter")
    secret = page.locator("#secret-value").inner_text()
    expect(page.get_by_role("button", name="Copy", exact=True)).to_have_count(0)
    client_id = page.locator("#client-id").inner_text()
    assert draw_token(portal_stack, client_id, secret, BY_KEYBOARD).status_code == 200
    tab_to(page, page.get_by_role("button", name="Revoke"))
    keys.press("Enter")
    expect(page.get_by_role("cell", name="Revoked")).to_be_visible()
    context.close()


def test_a_reader_sees_everything_and_changes_nothing(portal_stack: Stack, state: Path, chromium: Browser) -> None:
    context = signed_in(chromium, portal_stack, state, READER, locale="en-GB")
    page = context.new_page()
    tenant, client = portal_stack.tenants[0], portal_stack.clients[0]
    for path in (
        "",
        "tenants",
        f"tenants/{tenant.tenant_id}",
        f"tenants/{tenant.tenant_id}/check",
        "clients",
        f"clients/{client.client_id}",
        "audit",
    ):
        page.goto(f"{portal_stack.base_url}/portal/{path}")
        buttons = page.locator("main button:visible").all_inner_texts()
        assert set(buttons) <= {"Search", "Filter", "Copy client id"}, path
        expect(page.locator("main form[method=post]")).to_have_count(0)
        expect(page.locator("main a[href$=new]")).to_have_count(0)
    token = page.locator("[name=csrf]").first.input_value()
    for path, form in (
        (f"tenants/{tenant.tenant_id}", {"step": "disable"}),
        (f"tenants/{tenant.tenant_id}/remove", {"confirm": tenant.name}),
        ("clients/new", {"name": "x", "access": "all"}),
        (f"clients/{client.client_id}/secrets", {}),
    ):
        url = f"{portal_stack.base_url}/portal/{path}"
        refused = context.request.post(url, form={"csrf": token, **form}, max_redirects=0)
        assert refused.status == 403, path
        assert "Gateway.Admin" in refused.text()
    context.close()


@pytest.fixture(scope="module")
def connect_page(portal_stack: Stack, state: Path, chromium: Browser) -> Iterator[Page]:
    context: BrowserContext = signed_in(chromium, portal_stack, state, READER)
    page = context.new_page()
    tenant, client = portal_stack.tenants[0], portal_stack.clients[0]
    page.goto(f"{portal_stack.base_url}/portal/connect?client={client.client_id}&tenant={tenant.tenant_id}")
    yield page
    context.close()


@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_the_programs_of_the_connect_page_run_as_they_stand(
    portal_stack: Stack, connect_page: Page, language: str
) -> None:
    if language == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    program = connect_page.locator(f"#snippet-{language}").inner_text()
    run = {
        "curl": ["sh", "-c", program],
        "python": [sys.executable, "-c", program],
        "javascript": [str(find_node().node), "--input-type=module", "-e", program],
    }[language]
    environment = {**os.environ, "CLIENT_SECRET": portal_stack.clients[0].client_secret}
    ended = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 -- what the page shows
    assert ended.returncode == 0, ended.stderr
    bundle = json.loads(ended.stdout)
    assert bundle["resourceType"] == "Bundle"
    assert bundle["entry"][0]["resource"]["resourceType"] == "Patient"
