import re
from base64 import b64decode
from json import loads

import pytest

from gateway.portal import check_texts
from tests.gateway.portal.browser import Browser
from tests.gateway.portal.forms import TENANT, take_on


async def test_a_check_speaks_chinese_but_for_its_data(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    admin.language = "zh-CN"
    page = await admin.post(f"tenants/{TENANT}/check")
    html, data = (b64decode(file).decode() for file in re.findall(rb'href="data:[^"]*;base64,([^"]+)"', page.body))
    assert "可以列出患者" in page.body.decode()
    assert b'lang="en"' not in re.sub(rb'<button [^>]*lang="en"', b"", page.body)
    assert '<html lang="zh-Hans">' in html
    assert "可以列出患者" in html
    assert 'lang="en"' not in html
    assert "Patients can be listed" in {check["title"] for check in loads(data)["checks"]}


async def test_what_of_a_check_has_no_translation_is_marked_as_english(
    admin: Browser, fhir_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(check_texts._catalogue("zh-Hans")[0], "Patients can be listed", None)
    await take_on(admin, fhir_url)
    admin.language = "zh-CN"
    page = await admin.post(f"tenants/{TENANT}/check")
    assert b'<span lang="en">Patients can be listed</span>' in page.body


async def test_a_row_tells_what_counts_and_what_to_do(admin: Browser, fhir_url: str) -> None:
    await take_on(admin, fhir_url)
    page = await admin.post(f"tenants/{TENANT}/check")
    rows = dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', page.body.decode(), re.DOTALL))
    # Nothing of the network is to be seen through the gateway.
    assert "address(es)" in rows["The server&#39;s name resolves"]
    search = rows["Patients can be listed"]
    assert "no Patient" in search
    assert "Make GET Patient or POST Patient/_search answer a searchset Bundle." in search
