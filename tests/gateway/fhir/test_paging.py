from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl, SecretStr

from gateway.errors import BadRequest, PageExpired
from gateway.fhir.link_store import LinkStore
from gateway.fhir.paging import LIFE_SECONDS, LONGEST_TOKEN, PageLinks
from gateway.registry import Tenant
from gateway.registry.storage import Storage
from gateway.secrets import FileSecretStore
from gateway.settings import Settings
from gateway.tokens import Keys
from gateway.versions import FhirVersion

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
TENANT = Tenant(
    tenant_id="1b8e7a40-d723-42a6-8083-3763eb820fcf",
    name="A hospital",
    fhir_url="https://ehr.example/api/FHIR/R4",
    fhir_version=FhirVersion.R4,
)
LINK = "https://ehr.example/api/FHIR/R4/Observation?patient=e63wRTbPfr1p8UW81d8Seiw3&page=2#type=Observation&offset="
# What does not shrink, as a server's sealed continuation does not.
LONG = LINK.replace("#", "&ct=" + "".join(sha512(bytes([number])).hexdigest() for number in range(32)) + "#")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def storage(tables_connection: str) -> AsyncIterator[Storage]:
    settings = Settings(
        public_base_url=HttpUrl("https://gateway.example"), tables_connection=SecretStr(tables_connection)
    )
    opened = Storage.open(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def keys(tmp_path: Path) -> Keys:
    made = Keys(FileSecretStore(tmp_path))
    await made.ensure()
    return made


@pytest.fixture
def pages(keys: Keys, storage: Storage, clock: Clock) -> PageLinks:
    return PageLinks(keys, LinkStore(storage), clock=clock)


@pytest.mark.parametrize("link", [LINK, LONG])
async def test_any_instance_opens_what_one_sealed(
    pages: PageLinks, keys: Keys, storage: Storage, clock: Clock, link: str
) -> None:
    token = await pages.seal(TENANT, FhirVersion.R4, "Observation", link)
    other = PageLinks(keys, LinkStore(storage), clock=clock)
    assert await other.open(TENANT, FhirVersion.R4, "Observation", token) == link
    assert len(token) <= LONGEST_TOKEN
    assert "e63wRTbPfr1p8UW81d8Seiw3" not in token


async def test_what_is_stored_is_sealed(pages: PageLinks, storage: Storage) -> None:
    await pages.seal(TENANT, FhirVersion.R4, "Observation", LONG)
    rows: list[Any] = [row async for row in storage.table("pages").list_entities()]
    assert len(rows) == 1
    assert "e63wRTbPfr1p8UW81d8Seiw3" not in repr(rows)
    assert "ehr.example" not in repr(rows)


@pytest.mark.parametrize("link", [LINK, LONG])
async def test_a_link_expires(pages: PageLinks, clock: Clock, link: str) -> None:
    token = await pages.seal(TENANT, FhirVersion.R4, "Observation", link)
    clock.now += LIFE_SECONDS - 1
    await pages.open(TENANT, FhirVersion.R4, "Observation", token)
    clock.now += 2
    with pytest.raises(PageExpired):
        await pages.open(TENANT, FhirVersion.R4, "Observation", token)


@pytest.mark.parametrize("link", [LINK, LONG])
async def test_a_link_is_for_one_tenant_face_and_type(pages: PageLinks, link: str) -> None:
    token = await pages.seal(TENANT, FhirVersion.R4, "Observation", link)
    other = TENANT.model_copy(update={"tenant_id": "4f715499-c169-4f0f-9912-a75c0341772a"})
    for tenant, face, resource_type in (
        (other, FhirVersion.R4, "Observation"),
        (TENANT, FhirVersion.STU3, "Observation"),
        (TENANT, FhirVersion.R4, "Patient"),
    ):
        with pytest.raises(BadRequest):
            await pages.open(tenant, face, resource_type, token)


async def test_every_changed_character_is_noticed(pages: PageLinks) -> None:
    token = await pages.seal(TENANT, FhirVersion.R4, "Observation", LINK)
    # of the last one, the lowest bits may be padding
    for place in range(len(token) - 1):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(BadRequest):
            await pages.open(TENANT, FhirVersion.R4, "Observation", changed)


async def test_a_link_to_a_server_that_has_moved_expires(pages: PageLinks) -> None:
    token = await pages.seal(TENANT, FhirVersion.R4, "Observation", LINK)
    moved = TENANT.model_copy(update={"fhir_url": "https://new.example/r4"})
    with pytest.raises(PageExpired):
        await pages.open(moved, FhirVersion.R4, "Observation", token)


async def test_old_stored_links_are_removed(pages: PageLinks, storage: Storage, keys: Keys, clock: Clock) -> None:
    old = await pages.seal(TENANT, FhirVersion.R4, "Observation", LONG)
    clock.now += 3 * 86_400
    await PageLinks(keys, LinkStore(storage), clock=clock).seal(TENANT, FhirVersion.R4, "Observation", LONG)
    rows: list[Any] = [row async for row in storage.table("pages").list_entities()]
    assert [row["PartitionKey"] for row in rows] == ["20261127"]
    with pytest.raises(PageExpired):
        await pages.open(TENANT, FhirVersion.R4, "Observation", old)
