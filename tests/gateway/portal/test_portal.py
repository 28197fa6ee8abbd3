import re
from pathlib import Path
from typing import get_args

import pytest

from gateway.portal import Portal
from gateway.portal.languages import catalogue, chosen
from gateway.portal.local_link import issue_link
from gateway.portal.sessions import ABSOLUTE_SECONDS, IDLE_SECONDS
from gateway.portal.tenant_forms import AUTH_FIELDS
from gateway.registry.models import BasicAuth, ClientSecretAuth, EntraAuth, HeaderAuth, NoAuth, PrivateKeyJwtAuth
from gateway.service import Service
from tests.gateway.portal.browser import Browser, Clock
from tests.gateway.portal.forms import TENANT, take_on

ADDRESSES = ("", "tenants", "clients", "audit", "connect", f"tenants/{TENANT}")
TEMPLATES = Path(__file__).parents[3] / "gateway" / "portal" / "templates"


@pytest.mark.parametrize("path", ["tenants/new", "clients/new", f"tenants/{TENANT}/remove", f"tenants/{TENANT}"])
async def test_a_reader_is_refused_by_the_server(reader: Browser, path: str) -> None:
    assert (await reader.post(path, name="x", confirm="North Clinic")).status == 403


async def test_a_reader_sees_pages_without_buttons_that_change(reader: Browser, admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    for path in ADDRESSES:
        page = await reader.get(path)
        assert page.status == 200, path
        forms = set(re.findall(rb'<form method="post"[^>]*action="([^"]*)"', page.body))
        assert forms == {b"/portal/language", b"/portal/sign-out"}
        assert b'name="step"' not in page.body
        assert b"/new" not in page.body


async def test_without_a_role_a_page_says_what_to_ask_for(nobody: Browser) -> None:
    page = await nobody.get("tenants")
    assert page.status == 403
    assert b"Gateway.Reader" in page.body


async def test_a_form_without_its_sessions_token_is_refused(admin: Browser, reader: Browser, service: Service) -> None:
    for token in ("", "0" * 64, reader.token):
        page = await admin.post("clients/new", csrf=token, name="App", access="all")
        assert page.status == 403
    assert [stored async for stored in service.registry.clients()] == []


async def test_the_link_signs_in_once(portal: Portal, service: Service) -> None:
    query = (await issue_link(service.secrets, "http://localhost")).partition("?")[2]
    assert (await Browser(portal).get("sign-in/link", query)).status == 303
    assert (await Browser(portal).get("sign-in/link", query)).status == 403


@pytest.mark.parametrize("wait", [IDLE_SECONDS, ABSOLUTE_SECONDS])
async def test_a_session_times_out(admin: Browser, clock: Clock, wait: int) -> None:
    assert (await admin.get("tenants")).status == 200
    start = clock.at
    if wait == ABSOLUTE_SECONDS:
        while clock.at + IDLE_SECONDS - 1 < start + wait:
            clock.at += IDLE_SECONDS - 1
            assert (await admin.get("tenants")).status == 200
    clock.at = start + wait
    assert (await admin.get("tenants")).status == 401


async def test_cookies_are_guarded_and_survive_the_functions_host(admin: Browser, clock: Clock) -> None:
    clock.at += 120
    page = await admin.get("")
    (cookie,) = page.cookies
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cookie.partition(";")[0].partition("=")[2])
    admin.cookies["portal-session"] = admin.cookies["portal-session"][:-4] + "AAAA"
    assert (await admin.get("tenants")).status == 401


async def test_no_page_holds_inline_code_and_every_page_has_the_policy(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    for path in ADDRESSES:
        page = await admin.get(path)
        assert page.status == 200, path
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert not re.search(rb"<style|\sstyle=|\son\w+=|<script(?! src=)", page.body)


async def test_pages_speak_chinese_when_the_browser_does(admin: Browser) -> None:
    admin.language = "zh-CN,zh;q=0.9,en;q=0.8"
    page = await admin.get("tenants")
    assert b'<html lang="zh-Hans">' in page.body
    assert "接入医院".encode() in page.body
    back = await admin.post("language", language="en", back="tenants/new")
    assert back.headers["Location"] == "/portal/tenants/new"
    assert b'<html lang="en">' in (await admin.get("tenants")).body


@pytest.mark.parametrize(
    "back", ["/evil.example", "../evil.example", "tenants@evil.example", "clients/new?x", "no-page"]
)
async def test_the_language_button_leads_to_pages_of_the_portal_only(admin: Browser, back: str) -> None:
    assert (await admin.post("language", language="en", back=back)).headers["Location"] == "/portal/"


def test_both_catalogues_have_the_same_keys_and_templates_hold_no_words_of_their_own() -> None:
    assert catalogue("en").keys() == catalogue("zh-Hans").keys()
    for path in TEMPLATES.glob("*.html"):
        text = re.sub(r"\{% macro marks.*?endmacro %\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(), flags=re.DOTALL)
        text = re.sub(r"<pre[^>]*>.*?</pre>", " ", text, flags=re.DOTALL)
        words = set(re.findall(r"[A-Za-z]{2,}", re.sub(r"<[^>]*>", " ", text)))
        assert words <= {"FHIR", "curl", "Python", "JavaScript", "DSTU", "STU", "UTC", "ms"}, path.name


@pytest.mark.parametrize(
    ("cookie", "accept", "language"),
    [("", "", "en"), ("", "de, zh-TW;q=0.5", "zh-Hans"), ("", "zh;q=0.2, en;q=0.9", "en"), ("en", "zh", "en")],
)
def test_language_is_chosen_by_cookie_then_browser(cookie: str, accept: str, language: str) -> None:
    assert chosen(cookie, accept) == language


def test_the_form_can_hold_every_field_of_every_way_of_authentication() -> None:
    ways = (NoAuth, HeaderAuth, BasicAuth, ClientSecretAuth, PrivateKeyJwtAuth, EntraAuth)
    kinds = {kind: way for way in ways for kind in get_args(way.model_fields["kind"].annotation)}
    # A save replaces `auth` as a whole: what the form left out would be lost.
    assert {kind: set(names) for kind, names in AUTH_FIELDS.items()} == {
        kind: way.model_fields.keys() - {"kind"} for kind, way in kinds.items()
    }
