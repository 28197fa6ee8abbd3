import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest
import requests
from aiohttp import web
from pydantic import SecretStr

from gateway.manage.authority import Authority
from gateway.portal import Page, Portal
from gateway.portal.entra import Entra, SignInRefused
from gateway.portal.msal_application import Http, new_application
from gateway.portal.sessions import ABSOLUTE_SECONDS, IDLE_SECONDS
from gateway.portal.sign_in import FLOW_SECONDS
from gateway.registry.expiring import ExpiringRows
from gateway.registry.store import SIGN_INS
from gateway.service import Service
from gateway.settings import Settings
from tests.gateway.portal.browser import Browser, Clock
from tests.gateway.portal.certificates import Certificate, make_certificate
from tests.gateway.portal.lying_authority import CLIENT, SECRET, TENANT, LyingAuthority

BASE = "https://gateway.example"
SESSION = "__Host-portal-session"
FLOW = "__Host-portal-sign-in"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
async def authority(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LyingAuthority]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.root))
    authority = LyingAuthority()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    runner = web.AppRunner(authority.application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    authority.url = f"https://localhost:{runner.addresses[0][1]}"
    yield authority
    await runner.cleanup()


def settings_for(authority: LyingAuthority) -> Settings:
    return Settings.model_validate(
        {
            "public_base_url": BASE,
            "tables_connection": "UseDevelopmentStorage=true",
            "key_vault_url": "https://vault.example",
            "entra_tenant_id": TENANT,
            "entra_client_id": CLIENT,
            "entra_client_secret": SECRET,
            "entra_authority": authority.base,
        }
    )


@dataclass
class Deployment:
    """Instances of one deployment: they share storage and pepper, and nothing in memory."""

    settings: Settings
    service: Service
    clock: Clock
    trust: ssl.SSLContext

    def __post_init__(self) -> None:
        self._open: list[tuple[Entra, aiohttp.ClientSession]] = []

    def instance(self, **other: object) -> Portal:
        settings = self.settings.model_copy(update=other)
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self.trust))
        entra = Entra(settings, CLIENT, Authority(settings.authority, TENANT, session, self.clock))
        self._open.append((entra, session))
        rows = ExpiringRows(self.service.registry.storage.table(SIGN_INS))
        service = self.service
        return Portal(settings, service.operations, service.secrets, service.keys.pepper, rows, entra, self.clock)

    async def close(self) -> None:
        for entra, session in self._open:
            entra.close()
            await session.close()


@pytest.fixture
async def deployment(
    service: Service, clock: Clock, authority: LyingAuthority, certificate: Certificate
) -> AsyncIterator[Deployment]:
    deployment = Deployment(
        settings_for(authority), service, clock, ssl.create_default_context(cafile=str(certificate.root))
    )
    yield deployment
    await deployment.close()


@pytest.fixture
async def entra(authority: LyingAuthority, certificate: Certificate) -> AsyncIterator[Entra]:
    """Without a portal around it."""
    trust = ssl.create_default_context(cafile=str(certificate.root))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        entra = Entra(settings_for(authority), CLIENT, Authority(authority.base, TENANT, session, time.time))
        yield entra
        entra.close()


@pytest.fixture
async def browser(deployment: Deployment) -> Browser:
    return Browser(deployment.instance())


async def start(browser: Browser, query: str = "") -> str:
    page = await browser.get("sign-in", query)
    assert page.status == 303
    return page.headers["Location"]


async def come_back(browser: Browser, answer: dict[str, str]) -> Page:
    return await browser.post("signed-in", **answer)


async def signed_in(browser: Browser, authority: LyingAuthority) -> Page:
    return await come_back(browser, authority.authorize(await start(browser)))


def cookie(page: Page, name: str) -> str:
    (line,) = [line for line in page.cookies if line.startswith(f"{name}=")]
    return line


async def refused(browser: Browser, page: Page, reason: str) -> None:
    """A page that says so, with the reason's code, and nobody is signed in."""
    assert page.status == 403
    assert f"<code>{reason}</code>".encode() in page.body
    assert not browser.cookies.get(SESSION)
    assert not browser.cookies.get(FLOW)
    assert (await browser.get("tenants")).status == 401


async def is_refused(entra: Entra, authority: LyingAuthority, reason: str) -> None:
    flow = await entra.begin()
    answer = authority.authorize(flow["auth_uri"])
    with pytest.raises(SignInRefused) as refusal:
        await entra.finish(flow, answer)
    assert refusal.value.reason == reason
    assert len(authority.redeemed) == 1


# What must not sign in.


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        # OpenID Connect Core 1.0 §3.1.3.7, nos. 2, 3, 9, 11
        ({"iss": "https://login.example/other/v2.0"}, "id_token_invalid"),
        ({"aud": "another-app"}, "id_token_invalid"),
        ({"aud": f"api://{CLIENT}"}, "id_token_invalid"),
        ({"aud": [CLIENT, "another-app"]}, "id_token_invalid"),
        ({"aud": None}, "id_token_invalid"),
        ({"exp": 1_000_000_000}, "id_token_invalid"),
        ({"exp": None}, "id_token_invalid"),
        ({"nbf": 4_000_000_000}, "id_token_invalid"),
        ({"nonce": "of-another-flow"}, "answer_refused"),
        ({"nonce": None}, "answer_refused"),
        # Another tenant of the same cloud
        ({"tid": "99999999-3a52-4a0c-8d0a-6a3c1f0e9b11"}, "id_token_invalid"),
        ({"tid": None}, "id_token_invalid"),
    ],
)
async def test_an_id_token_with_a_wrong_claim_signs_nobody_in(
    entra: Entra, authority: LyingAuthority, lie: dict[str, Any], reason: str
) -> None:
    authority.claims = lie
    await is_refused(entra, authority, reason)


@pytest.mark.parametrize(("algorithm", "key"), [("none", "one"), ("HS256", "one"), ("RS256", "two"), ("PS256", "one")])
async def test_an_id_token_that_the_authoritys_key_did_not_sign_signs_nobody_in(
    entra: Entra, authority: LyingAuthority, algorithm: str, key: str
) -> None:
    authority.algorithm, authority.signed_with = algorithm, key
    await is_refused(entra, authority, "id_token_invalid")


async def test_the_nonce_is_compared_whether_or_not_msal_does(
    entra: Entra, authority: LyingAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = await entra.begin()
    asked = dict(parse_qsl(urlsplit(flow["auth_uri"]).query))

    def redeem_with(nonce: str) -> Callable[[object], Awaitable[dict[str, str]]]:
        async def redeemed(_work: object) -> dict[str, str]:
            return {"id_token": authority.id_token(nonce)}

        return redeemed

    for nonce in ("of-another-flow", flow["nonce"], ""):
        monkeypatch.setattr(entra, "_run", redeem_with(nonce))
        with pytest.raises(SignInRefused, match="nonce_mismatch"):
            await entra.finish(flow, {"state": flow["state"], "code": "x"})
    monkeypatch.setattr(entra, "_run", redeem_with(asked["nonce"]))
    assert (await entra.finish(flow, {"state": flow["state"], "code": "x"})).roles == {"Gateway.Admin"}


async def test_a_page_says_that_an_id_token_is_refused(browser: Browser, authority: LyingAuthority) -> None:
    authority.claims = {"aud": "another-app"}
    await refused(browser, await signed_in(browser, authority), "id_token_invalid")


async def test_an_answer_with_another_state_is_refused_before_its_code_is_used(
    browser: Browser, authority: LyingAuthority
) -> None:
    for state in ("", "of-another-flow"):
        answer = authority.authorize(await start(browser))
        await refused(browser, await come_back(browser, answer | {"state": state}), "state_mismatch")
    assert authority.redeemed == []


async def test_an_answer_in_a_browser_that_began_nothing_is_refused(
    browser: Browser, deployment: Deployment, authority: LyingAuthority
) -> None:
    """Login CSRF: somebody has another's browser post their own answer."""
    victim = Browser(deployment.instance())
    answer = authority.authorize(await start(browser))
    await refused(victim, await come_back(victim, answer), "no_flow")
    began_another = Browser(deployment.instance())
    await start(began_another)
    await refused(began_another, await come_back(began_another, answer), "state_mismatch")
    assert authority.redeemed == []


async def test_an_answer_works_once_on_whichever_instance(
    browser: Browser, deployment: Deployment, authority: LyingAuthority
) -> None:
    answer = authority.authorize(await start(browser))
    kept = dict(browser.cookies)
    assert (await come_back(browser, answer)).status == 303
    again = Browser(deployment.instance(), kept)
    await refused(again, await come_back(again, answer), "flow_used")
    assert len(authority.redeemed) == 1


async def test_a_code_of_another_flow_fails_for_its_verifier(browser: Browser, authority: LyingAuthority) -> None:
    """RFC 7636: a stolen code is of no use to another flow."""
    stolen = authority.authorize(await start(Browser(browser.portal)))
    answer = authority.authorize(await start(browser))
    page = await come_back(browser, answer | {"code": stolen["code"]})
    await refused(browser, page, "invalid_grant")


async def test_a_flow_ends(browser: Browser, authority: LyingAuthority, clock: Clock) -> None:
    answer = authority.authorize(await start(browser))
    clock.at += FLOW_SECONDS
    await refused(browser, await come_back(browser, answer), "flow_expired")


async def test_an_error_answer_shows_its_code_and_nothing_else_of_it(browser: Browser) -> None:
    answers = [
        ({"error": "access_denied", "error_description": "AADSTS65004: User declined."}, "access_denied AADSTS65004"),
        ({"error": "<script>alert(1)</script>", "error_description": "<b>"}, "no_id_token"),
        ({"code": ""}, "answer_refused"),
        ({}, "answer_refused"),
    ]
    for answer, reason in answers:
        visitor = Browser(browser.portal)
        state = parse_qs(urlsplit(await start(visitor)).query)["state"][0]
        page = await come_back(visitor, {"state": state} | answer)
        await refused(visitor, page, reason)
        assert b"alert(1)" not in page.body
        assert b"declined" not in page.body


async def test_a_wrong_client_secret_is_named_without_the_authoritys_text(
    deployment: Deployment, authority: LyingAuthority
) -> None:
    browser = Browser(deployment.instance(entra_client_secret=SecretStr("of-last-year")))
    page = await signed_in(browser, authority)
    await refused(browser, page, "invalid_client AADSTS7000215")
    assert b"Invalid client secret" not in page.body


async def test_cookies_of_the_portal_cannot_stand_for_each_other(browser: Browser, authority: LyingAuthority) -> None:
    await start(browser)
    swapped = Browser(browser.portal, {SESSION: browser.cookies[FLOW]})
    assert (await swapped.get("tenants")).status == 401
    await signed_in(browser, authority)
    other = Browser(browser.portal, {FLOW: browser.cookies[SESSION]})
    await refused(other, await come_back(other, {"state": "", "code": "x"}), "no_flow")


async def test_the_one_time_link_is_nothing_where_there_is_a_key_vault(browser: Browser) -> None:
    assert (await browser.get("sign-in/link", "code=x")).status == 403
    assert b"one-time link" not in (await browser.get("")).body


async def test_sign_in_leads_nowhere_else(browser: Browser, authority: LyingAuthority) -> None:
    for goal in ("//evil.example", "https://evil.example", "sign-out", "../x", "tenants/%0d%0aX: y"):
        visitor = Browser(browser.portal)
        page = await come_back(visitor, authority.authorize(await start(visitor, f"next={goal}")))
        assert page.headers["Location"] == "/portal/", goal


# What the request to the authority says, and what signing in gives.


async def test_the_request_follows_the_standards(browser: Browser, authority: LyingAuthority) -> None:
    location = await start(browser)
    asked = {name: values for name, (*values,) in parse_qs(urlsplit(location).query).items()}
    assert location.startswith(f"{authority.url}/{TENANT}/authorize?")
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == [CLIENT]
    assert asked["redirect_uri"] == [f"{BASE}/portal/signed-in"]
    assert asked["response_mode"] == ["form_post"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert set(asked["scope"][0].split()) == {"openid", "profile"}
    again = parse_qs(urlsplit(await start(Browser(browser.portal))).query)
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) >= 16
        assert again[name] != asked[name]


async def test_an_administrator_signs_in_on_another_instance_than_the_one_that_began(
    browser: Browser, deployment: Deployment, authority: LyingAuthority
) -> None:
    answer = authority.authorize(await start(browser, "next=clients"))
    browser.portal = deployment.instance()
    page = await come_back(browser, answer)
    assert (page.status, page.headers["Location"]) == (303, "/portal/clients")
    assert (await browser.get("clients")).status == 200
    assert b"admin@hospital.example (11111111-2222-4333-8444-555555555555)" in (await browser.get("")).body
    assert (await browser.post("no/such/page")).status == 404, "not 403: may change"
    (form,) = authority.redeemed
    assert (form["grant_type"], form["redirect_uri"]) == ("authorization_code", f"{BASE}/portal/signed-in")
    assert 43 <= len(form["code_verifier"]) <= 128


async def test_a_reader_is_refused_every_change(browser: Browser, authority: LyingAuthority) -> None:
    authority.claims = {"roles": ["Gateway.Reader"]}
    await signed_in(browser, authority)
    assert (await browser.get("clients")).status == 200
    for path in ("clients/new", "tenants/new", "no/such/page"):
        assert (await browser.post(path, name="x", tenants="*")).status == 403


async def test_without_a_role_a_page_says_who_is_signed_in_and_what_to_ask_for(
    browser: Browser, authority: LyingAuthority
) -> None:
    for roles in (None, [], ["Other.Role"], "Gateway.Admin"):
        authority.claims = {"roles": roles}
        visitor = Browser(browser.portal)
        assert (await signed_in(visitor, authority)).status == 303
        page = await visitor.get("")
        assert page.status == 403
        assert b"admin@hospital.example" in page.body
        assert b"Gateway.Reader" in page.body
        assert b"/portal/sign-out" in page.body


async def test_cookies_are_as_strict_as_their_way_allows(browser: Browser, authority: LyingAuthority) -> None:
    begun = await browser.get("sign-in")
    # The return is a POST from another site: RFC 6265bis §5.6.7.1 sends only `None` with it, and that only `Secure`.
    _attributes(cookie(begun, FLOW), samesite="None", max_age=str(FLOW_SECONDS))
    page = await come_back(browser, authority.authorize(begun.headers["Location"]))
    _attributes(cookie(page, SESSION), samesite="Lax", max_age="")
    _attributes(cookie(page, FLOW), samesite="None", max_age="0")
    language = await browser.post("language", language="zh-Hans")
    assert "Secure" in cookie(language, "portal-language")


def _attributes(line: str, *, samesite: str, max_age: str) -> None:
    (morsel,) = SimpleCookie(line).values()
    assert (morsel["path"], morsel["secure"], morsel["httponly"]) == ("/", True, True)
    assert (morsel["domain"], morsel["samesite"], morsel["max-age"]) == ("", samesite, max_age)


async def test_signing_in_makes_a_new_session_and_ends_the_one_before(
    browser: Browser, authority: LyingAuthority
) -> None:
    answer = authority.authorize(await start(browser))
    other = Browser(browser.portal)
    await signed_in(other, authority)
    before = other.cookies[SESSION]
    browser.cookies[SESSION] = before  # somebody else's session was planted
    assert (await come_back(browser, answer)).status == 303
    assert browser.cookies[SESSION] != before
    assert (await browser.get("tenants")).status == 200
    assert (await other.get("tenants")).status == 401


async def test_signing_out_ends_the_session_on_every_instance_and_at_the_authority(
    browser: Browser, deployment: Deployment, authority: LyingAuthority, clock: Clock
) -> None:
    await signed_in(browser, authority)
    await browser.get("")
    kept = dict(browser.cookies)
    page = await browser.post("sign-out")
    assert page.status == 200
    seconds, _, target = page.headers["Refresh"].partition("; url=")
    onward = urlsplit(target)
    assert (seconds, f"{onward.scheme}://{onward.netloc}{onward.path}") == ("0", f"{authority.url}/{TENANT}/logout")
    # OpenID Connect RP-Initiated Logout 1.0 §2
    assert parse_qs(onward.query) == {
        "client_id": [CLIENT],
        "post_logout_redirect_uri": [f"{BASE}/portal/signed-out"],
    }
    assert "Max-Age=0" in cookie(page, SESSION)
    for instance in (browser.portal, deployment.instance()):
        for at in (0, ABSOLUTE_SECONDS - 1):
            clock.at += at
            thief = Browser(instance, dict(kept))
            assert (await thief.get("tenants")).status == 401
            assert (await thief.post("clients/new", csrf=browser.token, name="x", tenants="*")).status == 401
            clock.at -= at
    back = await browser.get("signed-out")
    assert b"You are signed out" in back.body


async def test_signing_out_needs_the_sessions_form(browser: Browser, authority: LyingAuthority) -> None:
    await signed_in(browser, authority)
    assert (await browser.post("sign-out", csrf="")).status == 403
    assert (await browser.get("sign-out")).status == 404
    assert (await browser.get("tenants")).status == 200


@pytest.mark.parametrize("wait", [IDLE_SECONDS, ABSOLUTE_SECONDS])
async def test_a_session_ends_and_says_so(browser: Browser, authority: LyingAuthority, clock: Clock, wait: int) -> None:
    await signed_in(browser, authority)
    ends = clock.at + wait
    while wait == ABSOLUTE_SECONDS and clock.at + IDLE_SECONDS - 1 < ends:
        clock.at += IDLE_SECONDS - 1
        assert (await browser.get("tenants")).status == 200
    clock.at = ends
    page = await browser.get("tenants")
    assert page.status == 401
    assert b"Your session has ended" in page.body
    assert b'href="/portal/sign-in?next=tenants"' in page.body


# What fails around it.


async def test_while_the_authority_is_away_a_page_says_so(deployment: Deployment, authority: LyingAuthority) -> None:
    browser = Browser(deployment.instance())
    gone = Browser(deployment.instance(entra_authority=f"https://localhost:9/{TENANT}/v2.0"))
    page = await gone.get("sign-in")
    assert page.status == 503
    assert b'role="alert"' in page.body
    answer = authority.authorize(await start(browser))
    authority.token_status = 503
    assert (await come_back(browser, answer)).status == 503
    assert (await browser.get("tenants")).status == 401


async def test_a_certificate_that_is_not_trusted_signs_nobody_in(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert (await browser.get("sign-in")).status == 503


async def test_without_an_app_registration_the_page_says_what_is_missing(deployment: Deployment) -> None:
    browser = Browser(replace(deployment.instance(), entra=None))
    assert b"ENTRA_CLIENT_ID" in (await browser.get("")).body
    assert b"ENTRA_CLIENT_ID" in (await browser.get("sign-in")).body
    assert (await browser.post("signed-in", code="x", state="y")).status == 401


async def test_without_a_secret_the_apps_identity_vouches_for_it(
    deployment: Deployment, authority: LyingAuthority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Entra, "_identity_assertion", lambda _entra: "made.by.identity")
    browser = Browser(deployment.instance(entra_client_secret=None))
    assert (await signed_in(browser, authority)).status == 303
    (form,) = authority.redeemed
    # RFC 7523 §2.2
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert form["client_assertion"] == "made.by.identity"
    assert "client_secret" not in form


def test_a_reference_that_the_platform_did_not_resolve_is_no_secret() -> None:
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/entra-client-secret)"
    settings = Settings.model_validate(
        {"public_base_url": BASE, "tables_connection": "x", "entra_client_secret": reference}
    )
    assert settings.entra_client_secret is None


def test_the_authority_is_entra_unless_set_otherwise() -> None:
    settings = Settings.model_validate({"public_base_url": BASE, "tables_connection": "x", "entra_tenant_id": TENANT})
    assert settings.authority == f"https://login.microsoftonline.com/{TENANT}/v2.0"


@pytest.mark.parametrize(
    ("login", "issuer"),
    [
        ("login.microsoftonline.com", "login.microsoftonline.com"),
        ("login.microsoftonline.us", "login.microsoftonline.us"),
        ("login.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
    ],
)
def test_msal_takes_the_metadata_of_every_cloud(login: str, issuer: str) -> None:
    """As Entra's documentation of its clouds and of its metadata has them."""
    answer = requests.Response()
    answer.status_code = 200
    root = f"https://{login}/{TENANT}"
    metadata = {
        "issuer": f"https://{issuer}/{TENANT}/v2.0",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/oauth2/v2.0/token",
    }
    answer._content = json.dumps(metadata).encode()
    with Http() as http, patch.object(Http, "request", return_value=answer) as asked:
        application = new_application(CLIENT, f"{root}/v2.0", SECRET, http)
        flow = application.initiate_auth_code_flow(
            [], redirect_uri=f"{BASE}/portal/signed-in", response_mode="form_post"
        )
    assert [call.args[:2] for call in asked.call_args_list] == [
        ("GET", f"{root}/v2.0/.well-known/openid-configuration")
    ]
    assert flow["auth_uri"].startswith(f"{root}/oauth2/v2.0/authorize?")


async def test_nothing_of_a_sign_in_is_logged(
    browser: Browser, authority: LyingAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    authority.claims = {"nonce": "of-another-flow"}
    answer = authority.authorize(await start(browser))
    await come_back(browser, answer)
    (form,) = authority.redeemed
    text = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("azure"))
    assert "answer_refused" in text
    for secret in (SECRET, answer["state"], form["code_verifier"], "of-another-flow", "admin@hospital.example"):
        assert secret not in text
