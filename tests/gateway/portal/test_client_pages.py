import re
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from gateway.portal import Portal
from gateway.service import Service
from tests.gateway.portal.browser import Browser
from tests.gateway.portal.forms import TENANT, create_client, etag_of, take_on

SECRET = re.compile(rb"pgw_[A-Za-z0-9_-]{43}")
OTHER = "99999999-2222-4333-8444-555555555555"


async def test_a_secret_is_shown_once_works_and_can_be_revoked(admin: Browser, fhir_url: str, service: Service) -> None:
    await take_on(admin, fhir_url)
    client_id, page = await create_client(admin)
    (value,) = SECRET.findall(page.body)
    assert value not in (await admin.get(f"clients/{client_id}")).body
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": value.decode()}
    headers = {"content-type": "application/x-www-form-urlencoded"}
    issued = await service.tokens.grant(headers, urlencode(form | {"scope": TENANT}).encode())
    assert issued.body["token_type"] == "Bearer"
    stored = await service.registry.find_client(client_id)
    assert stored
    await admin.post(f"clients/{client_id}/revoke", secret_id=stored.value.secrets[0].secret_id)
    revoked = await service.registry.find_client(client_id)
    assert revoked
    assert revoked.value.secrets[0].revoked is not None


async def test_reloading_after_a_new_secret_makes_no_other(admin: Browser, service: Service) -> None:
    client_id, _ = await create_client(admin)
    answer = await admin.post(f"clients/{client_id}/secrets", description="Vault A")
    assert answer.status == 303
    assert not SECRET.search(answer.body + answer.headers["Location"].encode())
    assert not any(SECRET.search(line.encode()) for line in answer.cookies)
    shown = await admin.follow(answer)
    assert len(SECRET.findall(shown.body)) == 1
    assert not SECRET.search((await admin.follow(answer)).body)
    stored = await service.registry.find_client(client_id)
    assert stored
    assert [secret.description for secret in stored.value.secrets] == ["", "Vault A"]


async def test_a_new_secret_shows_to_its_session_and_its_page_only(
    admin: Browser, reader: Browser, portal: Portal
) -> None:
    client_id, _ = await create_client(admin)
    another, _ = await create_client(admin, "Another")
    answer = await admin.post(f"clients/{client_id}/secrets")
    sealed = admin.cookies["portal-once"]
    reader.cookies["portal-once"] = sealed
    assert not SECRET.search((await reader.get(f"clients/{client_id}")).body)
    assert not SECRET.search((await admin.get(f"clients/{another}")).body)
    admin.cookies["portal-once"] = sealed[:-4] + "AAAA"
    assert not SECRET.search((await admin.follow(answer)).body)
    assert (await Browser(portal, {"portal-once": sealed}).get(f"clients/{client_id}")).status == 401


async def test_hospitals_are_ticked_or_typed(admin: Browser, fhir_url: str, service: Service) -> None:
    await take_on(admin, fhir_url)
    answer = await admin.post("clients/new", name="App", access="some", tenants=[TENANT], more_tenants=OTHER.upper())
    page = await admin.follow(answer)
    assert f"No tenant has this id yet: {OTHER}.".encode() in page.body
    stored = await service.registry.find_client(answer.headers["Location"].rpartition("/")[2])
    assert stored
    assert stored.value.tenants == (TENANT, OTHER)
    assert f'value="{TENANT}" checked'.encode() in page.body


async def test_a_refused_new_client_keeps_what_was_entered(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    page = await admin.post("clients/new", name="Kept", access="some", tenants=[TENANT], expires="yesterday")
    assert page.status == 422
    assert b'value="Kept"' in page.body
    assert b'value="yesterday"' in page.body
    assert f'value="{TENANT}" checked'.encode() in page.body
    assert b"must be a duration such as 12h" in page.body


async def test_public_keys_are_edited_and_refused_with_the_reason(admin: Browser, service: Service) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "ward-1"}
    client_id, _ = await create_client(admin)
    fields = {"name": "App", "access": "all", "step": "save"}
    saved = await admin.post(f"clients/{client_id}", jwks=orjson.dumps({"keys": [public]}).decode(), **fields)
    assert b"<code>ward-1</code> EC P-384" in (await admin.follow(saved)).body
    for wrong, reason in (
        ("{not json", b"jwks is not JSON"),
        ('{"keys": []}', b"with at least one key"),
        (orjson.dumps({"keys": [ECAlgorithm.to_jwk(key, as_dict=True)]}).decode(), b"holds a private key"),
    ):
        page = await admin.post(f"clients/{client_id}", jwks=wrong, **fields)
        assert page.status == 422
        assert reason in page.body
        assert b'id="problem-jwks"' in page.body
    await admin.post(f"clients/{client_id}", jwks="", jwks_uri="https://app.example/jwks", **fields)
    stored = await service.registry.find_client(client_id)
    assert stored
    assert (stored.value.jwks, stored.value.jwks_uri) == (None, "https://app.example/jwks")


async def test_the_second_of_two_editors_of_a_client_sees_both_versions(admin: Browser, service: Service) -> None:
    client_id, page = await create_client(admin)
    fields = {"step": "save", "etag": etag_of(page)}
    assert (await admin.post(f"clients/{client_id}", name="Theirs", access="all", **fields)).status == 303
    second = await admin.post(f"clients/{client_id}", name="Mine", access="some", more_tenants=OTHER, **fields)
    assert second.status == 412
    assert b"<td>Theirs</td><td>Mine</td>" in second.body
    assert f"<td>*</td><td>{OTHER}</td>".encode() in second.body
    stored = await service.registry.find_client(client_id)
    assert stored
    assert stored.value.name == "Theirs"


async def test_a_client_is_removed_by_its_name(admin: Browser, service: Service) -> None:
    client_id, _ = await create_client(admin)
    assert (await admin.post(f"clients/{client_id}/remove", confirm="Ap")).status == 422
    gone = await admin.post(f"clients/{client_id}/remove", confirm="App")
    assert b"Removed." in (await admin.follow(gone)).body
    assert await service.registry.find_client(client_id) is None
