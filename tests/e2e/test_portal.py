import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from local.node import find_node
from local.places import TOOLS
from local.stack_file import DemoTenant, Stack, read_stack
from tests.e2e.conftest import LocalCommand, own_environment

pytestmark = pytest.mark.e2e

PACKAGES = Path(__file__).parents[1] / "gateway" / "portal" / "packages"
CHROMIUM = Path("/usr/bin/chromium")
SHOTS = TOOLS / "artefacts" / "portal"
TTL_SECONDS = 2
TENANT = "6f1d2c3b-4a59-4e68-9d77-8c869ba5b4c3"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, as the lock file beside the portal's tests pins it."""
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_bytes((PACKAGES / name).read_bytes())
    node = find_node()
    environment = {**os.environ, "PATH": f"{node.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603 -- pinned by the lock file
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def portal_stack(tmp_path_factory: pytest.TempPathFactory, run_local: LocalCommand) -> Iterator[Stack]:
    """A stack of its own, whose link nobody used and whose caches are short."""
    state = tmp_path_factory.mktemp("portal")
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


def check(page: Page, axe: str, name: str) -> None:
    """Nothing serious by axe in both colour schemes, nothing wider than a phone; a screenshot of each."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        # Evaluated by the browser's own protocol, which the page's policy does not govern.
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
        assert [(rule["id"], scheme, name) for rule in found if rule["impact"] in ("serious", "critical")] == []
        page.screenshot(path=SHOTS / f"{name}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 375, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375, name
    page.screenshot(path=SHOTS / f"{name}-phone.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def draw_token(stack: Stack, client_id: str, secret: str) -> requests.Response:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": TENANT}
    return requests.post(stack.token_url, data=form, timeout=30)


def take_on_hospital(page: Page, stack: Stack, axe: str) -> DemoTenant:
    hospital = next(tenant for tenant in stack.tenants if tenant.name.startswith("Lakeside"))
    page.get_by_role("link", name="Tenants").first.click()
    check(page, axe, "tenants")
    page.get_by_role("link", name="Take on a hospital").click()
    page.get_by_label("FHIR URL").fill(hospital.fhir_url)
    page.get_by_label("Name", exact=True).fill("East Wing")
    page.get_by_label("Entra tenant id").fill(TENANT)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("status")).to_contain_text(hospital.fhir_version)
    expect(page.get_by_label("Name", exact=True)).to_have_value("East Wing")
    check(page, axe, "tenant-new")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("East Wing")
    check(page, axe, "tenant")
    page.get_by_role("button", name="Check for the Patients app").click()
    expect(page.get_by_role("row").nth(10)).to_be_visible(timeout=60_000)
    check(page, axe, "check")
    return hospital


def create_client(page: Page, axe: str) -> tuple[str, str]:
    page.get_by_role("link", name="Clients").click()
    page.get_by_role("link", name="Create a client").click()
    check(page, axe, "client-new")
    page.get_by_label("Name").fill("Ward screen")
    page.get_by_role("button", name="Create a client").click()
    secret = page.locator("#secret-value").inner_text()
    client_id = page.locator("pre").nth(1).inner_text()
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    assert page.content().count(secret) == 1
    assert secret not in page.url
    check(page, axe, "secret")
    return client_id, secret


def use_and_revoke(page: Page, stack: Stack, axe: str, fhir_version: str, client: tuple[str, str]) -> None:
    client_id, secret = client
    granted = draw_token(stack, client_id, secret)
    headers = {"Authorization": f"Bearer {granted.json()['access_token']}"}
    patients = f"{stack.fhir_base_url}/{fhir_version}/Patient?_count=1"
    answer = requests.get(patients, headers=headers, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["entry"][0]["resource"]["resourceType"] == "Patient"

    page.goto(f"{stack.base_url}/portal/clients/{client_id}")
    assert secret not in page.content()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("cell", name="Revoked")).to_be_visible()
    check(page, axe, "client")
    # "Within the TTL": after it, and what the machine needs to answer.
    time.sleep(TTL_SECONDS + 0.5)
    assert requests.get(patients, headers=headers, timeout=30).status_code == 401
    assert draw_token(stack, client_id, secret).status_code == 401


def test_the_whole_way_of_an_administrator(portal_stack: Stack, chromium: Browser, axe: str) -> None:
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    said: list[ConsoleMessage] = []
    page.on("console", lambda message: said.append(message))  # noqa: PLW0108 -- Playwright cannot wrap a built-in method
    assert portal_stack.portal_url
    page.goto(f"{portal_stack.base_url}/portal/")
    check(page, axe, "sign-in")
    page.goto(portal_stack.portal_url)
    expect(page).to_have_url(f"{portal_stack.base_url}/portal/")
    expect(page.get_by_text("Answers").first).to_be_visible()
    check(page, axe, "overview")

    hospital = take_on_hospital(page, portal_stack, axe)
    client = create_client(page, axe)
    use_and_revoke(page, portal_stack, axe, hospital.fhir_version, client)

    for name in ("clients", "audit", "connect"):
        page.goto(f"{portal_stack.base_url}/portal/{name}")
        check(page, axe, name)
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("概览")
    check(page, axe, "overview-zh")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("登录")
    page.goto(portal_stack.portal_url)
    expect(page.get_by_role("alert")).to_be_visible()
    assert [message.text for message in said if "Content Security Policy" in message.text] == []
    context.close()
