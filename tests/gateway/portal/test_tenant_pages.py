import html
import re
from base64 import b64decode
from json import loads

import pytest

from gateway.service import Service
from tests.gateway.portal.browser import Browser
from tests.gateway.portal.forms import TENANT, etag_of, take_on

KEY = "open-sesame"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
HEADER = {"auth.kind": "header", "auth.name": "X-Key"}


async def test_a_pasted_address_tells_version_software_and_profile(admin: Browser, fhir_url: str) -> None:
    page = await admin.post("tenants/new", step="detect", fhir_url=f" {fhir_url}/metadata?_format=json ")
    assert page.status == 200
    assert b"HAPI FHIR Server 7.4.0" in page.body
    assert b'<option value="stu3" selected>' in page.body
    assert b'<option value="hapi" selected>' in page.body
    assert f'name="fhir_url" value="{fhir_url}"'.encode() in page.body


async def test_a_server_that_hides_its_metadata_leads_to_the_credentials(admin: Browser, fhir_url: str) -> None:
    page = await admin.post("tenants/new", step="detect", fhir_url=fhir_url.replace("/fhir", "/locked"))
    assert page.status == 200
    assert b"only to those with credentials" in page.body
    assert b'<option value="auto" selected>' in page.body


async def test_where_no_server_answers_the_page_says_so_and_what_was_entered_stays(admin: Browser) -> None:
    page = await admin.post("tenants/new", step="detect", fhir_url="http://127.0.0.1:9/fhir", name="Kept Name")
    assert page.status == 422
    assert b"No FHIR server answered at this address." in page.body
    assert b'value="http://127.0.0.1:9/fhir"' in page.body
    assert b'name="name" value="Kept Name"' in page.body
    assert b'aria-describedby="hint-fhir_url problem-fhir_url"' in page.body
    onward = await admin.post("tenants/new", step="credentials", fhir_url="http://127.0.0.1:9/fhir", name="Kept Name")
    assert b'name="tenant_id"' in onward.body


async def test_a_test_saves_nothing_and_says_what_it_found(admin: Browser, fhir_url: str, service: Service) -> None:
    page = await take_on(admin, fhir_url, step="test")
    assert page.status == 200
    assert b"The gateway gets in and reads." in page.body
    assert b'name="fhir_version" value="stu3"' in page.body
    assert await service.registry.find_tenant(TENANT) is None


async def test_a_secret_goes_to_the_store_and_is_never_shown(admin: Browser, fhir_url: str, service: Service) -> None:
    locked = fhir_url.replace("/fhir", "/locked")
    wrong = await take_on(admin, locked, step="test", **HEADER | {"value.secret": "no-such-key"})
    assert b"status 401" in wrong.body
    page = await take_on(admin, locked, step="test", **HEADER | {"value.secret": KEY})
    assert b"The gateway gets in and reads." in page.body
    name = re.search(rb'name="auth.secret" value="([^"]+)"', page.body)
    assert name
    saved = await take_on(admin, locked, **HEADER | {"auth.secret": name[1].decode()})
    seen = await admin.follow(saved)
    assert KEY.encode() not in page.body + seen.body
    stored = await service.registry.find_tenant(TENANT)
    assert stored
    assert stored.value.auth.model_dump() == {"kind": "header", "name": "X-Key", "secret": name[1].decode()}
    assert await service.secrets.get(name[1].decode()) == KEY
    entries = (await service.operations.trail.page(10)).items
    assert [entry.change.action for entry in entries] == ["tenant.create", "credential.store", "credential.store"]
    assert KEY not in str([entry.view() for entry in entries])
    assert (
        re.findall(rb"<code>(credential[.]store)</code>", (await admin.get("audit", f"object={TENANT}")).body)
        == [b"credential.store"] * 2
    )
    # An entry about a tenant says what is left of its row (gateway.audit.verify): these leave it as it is.
    assert [entry.change.tenant_id for entry in entries] == [TENANT, "", ""]


async def test_a_refused_form_says_that_its_secret_was_not_kept(
    admin: Browser, fhir_url: str, service: Service
) -> None:
    page = await take_on(admin, fhir_url, step="test", tenant_id="no guid", **HEADER | {"value.secret": KEY})
    assert page.status == 422
    assert b"Except the values of secrets" in page.body
    assert b'name="auth.name" value="X-Key"' in page.body
    assert KEY.encode() not in page.body
    assert (await service.operations.trail.page(10)).items == ()


async def test_going_back_says_that_a_typed_secret_was_not_kept(admin: Browser, fhir_url: str) -> None:
    page = await take_on(admin, fhir_url, step="server", **HEADER | {"value.secret": KEY})
    assert b"The values of secrets that you typed were not kept" in page.body
    assert b'name="auth.name" value="X-Key"' in page.body
    assert KEY.encode() not in page.body


async def test_a_key_that_cannot_sign_is_refused_without_being_shown(admin: Browser, fhir_url: str) -> None:
    fields = {"auth.kind": "private-key-jwt", "auth.client_id": "gateway", "value.key": "-----BEGIN NONSENSE-----"}
    page = await take_on(admin, fhir_url, step="test", **fields)
    assert page.status == 422
    assert b"auth.key cannot be used: the key is neither PEM nor a JWK" in page.body
    assert b"NONSENSE" not in page.body


@pytest.mark.parametrize("own", ["pepper", "signing-keys"])
async def test_a_hospital_gets_no_secret_of_the_gateway(admin: Browser, fhir_url: str, own: str) -> None:
    page = await take_on(admin, fhir_url, **HEADER | {"auth.secret": own})
    assert page.status == 422
    assert b"names a secret of the gateway itself" in page.body


EXTRAS = {
    "extra_headers": "Redox-Source-Id: 3f9c0a52\r\n\r\n X-Route :north:south \r\n",
    "extra_parameters": "ah-practice=Organization/a-1.Practice-1",
}


async def test_fixed_headers_and_parameters_open_the_door_at_every_step(
    admin: Browser, fhir_url: str, service: Service
) -> None:
    routed = fhir_url.replace("/fhir", "/routed")
    found = await admin.post("tenants/new", step="detect", fhir_url=routed)
    assert b"only to those with credentials" in found.body
    found = await admin.post("tenants/new", step="detect", fhir_url=routed, **EXTRAS)
    assert b"HAPI FHIR Server 7.4.0" in found.body
    assert b"Redox-Source-Id: 3f9c0a52\n\n X-Route :north:south</textarea>" in found.body
    tested = await take_on(admin, routed, step="test", **EXTRAS)
    assert b"The gateway gets in and reads." in tested.body
    carried = {name: html.unescape(value) for name, value in HIDDEN.findall(tested.body.decode())}
    await admin.post("tenants/new", **carried | {"step": "save"})
    stored = await service.registry.find_tenant(TENANT)
    assert stored
    assert stored.value.extra_headers == {"Redox-Source-Id": "3f9c0a52", "X-Route": "north:south"}
    assert stored.value.extra_parameters == {"ah-practice": "Organization/a-1.Practice-1"}
    page = await admin.get(f"tenants/{TENANT}")
    assert b">Redox-Source-Id: 3f9c0a52\nX-Route: north:south</textarea>" in page.body
    assert b">ah-practice=Organization/a-1.Practice-1</textarea>" in page.body
    fields = {"name": "N", "fhir_url": routed, "fhir_version": "stu3", "system": "hapi", "auth.kind": "none"}
    assert b"The gateway gets in" in (await admin.post(f"tenants/{TENANT}", step="test", **fields, **EXTRAS)).body
    await admin.post(f"tenants/{TENANT}", step="save", **fields, extra_parameters=EXTRAS["extra_parameters"])
    stored = await service.registry.find_tenant(TENANT)
    assert stored
    assert (stored.value.extra_headers, len(stored.value.extra_parameters)) == ({}, 1)


@pytest.mark.parametrize(
    ("field", "entered", "problem"),
    [
        ("extra_headers", "X-A: 1\r\nno colon", "must have : between name and value; see line 2"),
        ("extra_headers", "X-A: 1\nX-A: 2", "must hold each name once; see line 2"),
        (
            "extra_headers",
            "Authorization: Bearer x",
            "must not hold Authorization, which the gateway or HTTP itself sets",
        ),
        ("extra_headers", "X-A:", "must give X-A a value of 1 to 256 visible ASCII characters"),
        ("extra_parameters", "ah-practice", "must have = between name and value; see line 1"),
        ("extra_parameters", "patient=1", "must not hold patient, which searches go by"),
    ],
)
@pytest.mark.parametrize("step", ["detect", "test", "save"])
async def test_a_line_that_is_wrong_is_told_beside_its_field_and_stays(
    admin: Browser, fhir_url: str, field: str, entered: str, problem: str, step: str
) -> None:
    page = await take_on(admin, fhir_url, step=step, **{field: entered})
    assert page.status == 422
    shown = html.unescape(page.body.decode())
    assert f'<span class="problem" id="problem-{field}">{problem}</span>' in shown
    assert f"{'\n'.join(entered.splitlines())}</textarea>" in shown
    assert f'<a href="#f-{field}">' in shown
    admin.language = "zh-CN"
    spoken = html.unescape((await take_on(admin, fhir_url, step=step, **{field: entered})).body.decode())
    assert problem not in spoken


async def test_a_hospital_is_saved_disabled_and_removed(admin: Browser, fhir_url: str, service: Service) -> None:
    saved = await take_on(admin, fhir_url)
    assert (saved.status, saved.headers["Location"]) == (303, f"/portal/tenants/{TENANT}")
    assert b"The hospital is taken on." in (await admin.follow(saved)).body
    assert b"The hospital is taken on." not in (await admin.follow(saved)).body
    await admin.post(f"tenants/{TENANT}", step="disable")
    stored = await service.registry.find_tenant(TENANT)
    assert stored
    assert (stored.value.enabled, stored.value.fhir_version) == (False, "stu3")
    wrong = await admin.post(f"tenants/{TENANT}/remove", confirm="North")
    assert wrong.status == 422
    assert await service.registry.find_tenant(TENANT) is not None
    gone = await admin.post(f"tenants/{TENANT}/remove", confirm="North Clinic")
    assert b"Removed." in (await admin.follow(gone)).body
    assert await service.registry.find_tenant(TENANT) is None


async def test_a_warning_is_told_after_saving(admin: Browser, fhir_url: str) -> None:
    saved = await take_on(admin, fhir_url, fhir_version="r4")
    assert b"The FHIR server says that it speaks stu3, not r4." in (await admin.follow(saved)).body


async def test_an_id_that_is_taken_is_refused_before_anything_is_asked(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    page = await take_on(admin, fhir_url, step="test", name="Another")
    assert page.status == 409
    assert b'id="problem-tenant_id"' in page.body


async def test_what_was_entered_comes_back_with_the_field_at_fault(admin: Browser) -> None:
    page = await take_on(admin, "ftp://no", name="Kept Name")
    assert page.status == 422
    assert b'value="Kept Name"' in page.body
    assert b'value="ftp://no"' in page.body
    assert b'<a href="#f-fhir_url">' in page.body
    assert b"<title>Error: " in page.body


async def test_a_field_that_was_emptied_is_empty_and_the_switch_stays(
    admin: Browser, fhir_url: str, service: Service
) -> None:
    await take_on(admin, fhir_url, notes="Ask for Kim", max_concurrency="7", mrn_system="urn:mrn")
    await admin.post(f"tenants/{TENANT}", step="disable")
    await admin.post(f"tenants/{TENANT}", step="save", name="N", fhir_url=fhir_url, fhir_version="stu3", system="hapi")
    stored = await service.registry.find_tenant(TENANT)
    assert stored
    tenant = stored.value
    assert (tenant.name, tenant.system, tenant.enabled) == ("N", "hapi", False)
    assert (tenant.notes, tenant.max_concurrency, tenant.mrn_system) == ("", None, None)


async def test_changes_can_be_tested_before_they_are_saved(admin: Browser, fhir_url: str, service: Service) -> None:
    await take_on(admin, fhir_url)
    fields = {"name": "N", "fhir_url": fhir_url.replace("/fhir", "/locked"), "fhir_version": "stu3"}
    page = await admin.post(f"tenants/{TENANT}", step="test", **fields)
    assert page.status == 200
    assert b"The test failed." in page.body
    assert b'name="name" value="N"' in page.body
    stored = await service.registry.find_tenant(TENANT)
    assert stored
    assert stored.value.name == "North Clinic"


async def test_the_second_of_two_editors_sees_both_versions(admin: Browser, fhir_url: str, service: Service) -> None:
    await take_on(admin, fhir_url)
    old = etag_of(await admin.get(f"tenants/{TENANT}"))
    fields = {"fhir_url": fhir_url, "fhir_version": "stu3", "auth.kind": "none", "step": "save", "etag": old}
    first = await admin.post(f"tenants/{TENANT}", name="Theirs", **fields)
    assert first.status == 303
    second = await admin.post(f"tenants/{TENANT}", name="Mine", **fields)
    assert second.status == 412
    assert b"<td>Theirs</td><td>Mine</td>" in second.body
    stored = await service.registry.find_tenant(TENANT)
    assert stored
    assert stored.value.name == "Theirs"
    again = await admin.post(f"tenants/{TENANT}", name="Mine", **fields | {"etag": etag_of(second)})
    assert again.status == 303


async def test_a_change_that_the_form_does_not_show_is_told_of_too(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    old = etag_of(await admin.get(f"tenants/{TENANT}"))
    await admin.post(f"tenants/{TENANT}", step="disable")
    fields = {"name": "North Clinic", "fhir_url": fhir_url, "fhir_version": "stu3", "system": "generic", "etag": old}
    unchanged = fields | {"auth.kind": "none", "tenant_id": TENANT}
    page = await admin.post(f"tenants/{TENANT}", step="save", **unchanged)
    assert page.status == 412
    assert b"They changed nothing that this form shows" in page.body


async def test_field_errors_speak_chinese(admin: Browser) -> None:
    admin.language = "zh-CN"
    page = await take_on(admin, "ftp://no", tenant_id="")
    assert "不能为空".encode() in page.body
    assert "必须是不含查询参数的完整 http 或 https 地址".encode() in page.body


async def test_a_reader_sees_the_last_check_and_its_files(admin: Browser, reader: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    assert b"No check of this hospital is remembered here." in (await reader.get(f"tenants/{TENANT}/check")).body
    made = await admin.post(f"tenants/{TENANT}/check")
    seen = await reader.get(f"tenants/{TENANT}/check")
    files = re.findall(rb'href="data:([a-z/]+)[^"]*;base64,([^"]+)"', made.body)
    assert [kind for kind, _ in files] == [b"text/html", b"application/json"]
    assert files == re.findall(rb'href="data:([a-z/]+)[^"]*;base64,([^"]+)"', seen.body)
    assert b64decode(files[0][1]).startswith(b"<!doctype html>")
    assert loads(b64decode(files[1][1]))["subject"]["tenant_id"] == TENANT
