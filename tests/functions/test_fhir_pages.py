"""Further pages through the whole app."""

from base64 import b64encode
from hashlib import sha512
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import pytest_asyncio

from tests.functions.harness import BASE_URL, Gateway, Recorder

pytestmark = pytest.mark.asyncio(loop_scope="module")


def page(number: int, **links: str) -> dict[str, Any]:
    resource = {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
    }
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": relation, "url": url} for relation, url in links.items()],
        "entry": [{"resource": resource, "search": {"mode": "match"}}],
    }


@pytest_asyncio.fixture(loop_scope="module")
async def tenant(gateway: Gateway, server: Recorder) -> str:
    return await gateway.tenant(server.base, system="hapi")


# What does not shrink, as Azure's continuations do not: about 4,000 characters, signs that are escaped among them.
LONG = "ct=" + quote("".join(b64encode(sha512(bytes([number])).digest()).decode() for number in range(45)), safe="")


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("{base}/Observation?patient=p1&page=2", "/fhir/Observation?patient=p1&page=2"),
        ("{base}?_getpages=a-1&_getpagesoffset=9&_bundletype=x", "/fhir?_getpages=a-1&_getpagesoffset=9&_bundletype=x"),
        ("{origin}/elsewhere/pages/17", "/elsewhere/pages/17"),
        ("Observation?page=2", "/fhir/Observation?page=2"),
        ("?page=2", "/fhir/Observation?page=2"),
        ("/fhir/Observation?page=2", "/fhir/Observation?page=2"),
        ("{base}/Observation?" + LONG, "/fhir/Observation?" + LONG),
    ],
    ids=["same", "getpages", "other path", "relative", "query only", "absolute path", "long ct"],
)  # fmt: skip
async def test_the_next_page_is_behind_a_short_opaque_address(
    gateway: Gateway, server: Recorder, tenant: str, link: str, asked: str
) -> None:
    server.says("/Observation", page(1, next=link.format(base=server.base, origin=server.origin)))
    first = await gateway.ask(tenant, "/fhir/r4/Observation?patient=p1")
    address = first.link("next")
    parts = urlsplit(address)
    assert (f"{parts.scheme}://{parts.netloc}{parts.path}") == f"{BASE_URL}/fhir/r4/Observation"
    assert [name for name, _ in parse_qsl(parts.query)] == ["_page"]
    assert len(address) < 1400
    server.answers.clear()
    server.says(asked.removeprefix("/fhir") if asked.startswith("/fhir") else "", page(2))
    server.answers[asked] = server.answers.pop(next(iter(server.answers)))
    second = await gateway.ask(tenant, address)
    assert second.status == 200
    assert server.seen[-1].target == asked
    assert [resource["id"] for resource in second.resources] == ["o2"]
    assert second.link("next") == ""
    assert second.link("self") == address


async def test_a_page_back(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Observation", page(2, previous=f"{server.base}/Observation?page=1", first=server.base))
    answer = await gateway.ask(tenant, "/fhir/r4/Observation?patient=p1")
    assert {link["relation"] for link in answer.json["link"]} == {"self", "previous"}
    await gateway.ask(tenant, answer.link("previous"))
    assert server.seen[-1].target == "/fhir/Observation?page=1"


async def test_later_pages_are_about_the_same_patient(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Observation", page(1, next=f"{server.base}/Observation?page=2"))
    first = await gateway.ask(tenant, "/fhir/r4/Observation?patient=p1")
    other = page(2)
    other["entry"][0]["resource"]["subject"]["reference"] = "Patient/p2"
    server.says("/Observation?page=2", other)
    assert (await gateway.ask(tenant, first.link("next"))).resources == []


@pytest.mark.parametrize("link", ["https://elsewhere.example/Observation?page=2", "http://169.254.169.254/latest"])
async def test_a_page_at_another_origin_is_not_offered(
    gateway: Gateway, server: Recorder, tenant: str, link: str
) -> None:
    server.says("/Observation", page(1, next=link, previous=link))
    answer = await gateway.ask(tenant, "/fhir/r4/Observation?patient=p1")
    assert [each["relation"] for each in answer.json["link"]] == ["self"]


async def test_a_link_is_bound_to_tenant_face_and_type(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Observation", page(1, next=f"{server.base}/Observation?page=2"))
    address = (await gateway.ask(tenant, "/fhir/r4/Observation?patient=p1")).link("next")
    other = await gateway.tenant(server.base, system="hapi")
    server.seen.clear()
    for asking, target in (
        (other, address),
        (tenant, address.replace("/r4/", "/stu3/")),
        (tenant, address.replace("/Observation?", "/Condition?")),
        (tenant, address[:-6] + "AAAAAA"),
        (tenant, f"{BASE_URL}/fhir/r4/Observation?_page=1.%C3%A4"),
        (tenant, f"{BASE_URL}/fhir/r4/Observation?_page=x"),
        (tenant, f"{BASE_URL}/fhir/r4/Observation?_page=9.AAAA"),
    ):
        answer = await gateway.ask(asking, target)
        assert answer.status == 400, target
        assert "search again" in answer.diagnostics
    assert server.seen == []


async def test_a_stored_link_that_is_gone(gateway: Gateway, tenant: str) -> None:
    answer = await gateway.ask(tenant, "/fhir/r4/Observation?_page=s.20261101" + "0" * 32)
    assert answer.status == 410
    assert answer.json["issue"][0]["code"] == "expired"


async def test_pages_in_a_batch(gateway: Gateway, server: Recorder, tenant: str) -> None:
    server.says("/Observation", page(1, next=f"{server.base}/Observation?page=2"))
    batch = await gateway.batch(tenant, "/r4", ["Observation?patient=p1"])
    (link,) = [link["url"] for link in batch.resources[0]["link"] if link["relation"] == "next"]
    server.says("/Observation?page=2", page(2))
    followed = await gateway.batch(tenant, "/r4", [link])
    assert followed.resources[0]["entry"][0]["resource"]["id"] == "o2"
