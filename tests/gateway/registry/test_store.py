import asyncio
import json
import time
import tracemalloc
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.errors import Duplicate, Invalid, Stale, StorageUnavailable, Unknown
from gateway.registry import Client, Directory, Registry, Stored, Tenant, Uses
from gateway.registry.models import MAX_SECRETS, ClientSecretAuth, now
from gateway.registry.secret_values import Pepper
from gateway.registry.uses import PRECISION
from gateway.settings import Settings
from gateway.versions import FhirVersion

GUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PEPPER = Pepper({"1": b"k" * 32})
SOON = datetime(2100, 1, 1, tzinfo=UTC)


def tenant(tenant_id: str = GUID, **fields: object) -> Tenant:
    given: dict[str, object] = {
        "tenant_id": tenant_id,
        "name": "Zürich / Ø #1?",
        "fhir_url": "https://ehr.example/fhir",
        "fhir_version": FhirVersion.STU3,
    }
    return Tenant.model_validate(given | fields)


async def test_a_tenant_comes_back_as_it_was_written(registry: Registry) -> None:
    written = tenant(
        auth=ClientSecretAuth(kind="client-secret-post", client_id="id", secret="upstream-zurich"),
        mrn_system="urn:oid:2.16.756",
        max_concurrency=8,
        notes="line one\nline two \N{SMILING FACE WITH SUNGLASSES}",
        extra_headers={"Redox-Source-Id": "3f9c0a52"},
        extra_parameters={"ah-practice": "Organization/a-1.Practice-195900"},
        enabled=False,
    )
    added = await registry.add_tenant(written)
    assert await registry.find_tenant(GUID) == added
    assert added.value == written


async def test_a_row_of_before_extra_headers_has_none(registry: Registry) -> None:
    written = tenant()
    old = written.model_dump(mode="json", exclude={"extra_headers", "extra_parameters"})
    row = {"PartitionKey": GUID, "RowKey": "tenant", "schema": 1, "document": json.dumps(old)}
    await registry.storage.table("tenants").create_entity(row)
    found = await registry.find_tenant(GUID)
    assert found is not None
    assert found.value == written
    assert (found.value.extra_headers, found.value.extra_parameters) == ({}, {})


async def test_a_guid_is_one_key_whatever_its_case(registry: Registry) -> None:
    await registry.add_tenant(tenant(GUID.upper()))
    found = await registry.find_tenant(GUID)
    assert found is not None
    assert found.value.tenant_id == GUID


async def test_an_id_is_taken_once(registry: Registry) -> None:
    await registry.add_tenant(tenant())
    with pytest.raises(Duplicate) as error:
        await registry.add_tenant(tenant())
    assert error.value.field == "tenant_id"


async def test_an_update_needs_the_newest_etag(registry: Registry) -> None:
    first = await registry.add_tenant(tenant())
    second = await registry.update_tenant(tenant(name="Second"), first.etag)
    with pytest.raises(Stale):
        await registry.update_tenant(tenant(name="Third"), first.etag)
    with pytest.raises(Stale):
        await registry.remove_tenant(GUID, first.etag)
    found = await registry.find_tenant(GUID)
    assert found == second
    assert found.value.name == "Second"
    await registry.remove_tenant(GUID, second.etag)
    assert await registry.find_tenant(GUID) is None


async def test_what_is_gone_cannot_be_changed_or_removed(registry: Registry) -> None:
    gone = await registry.add_tenant(tenant())
    await registry.remove_tenant(GUID)
    with pytest.raises(Unknown):
        await registry.update_tenant(gone.value, gone.etag)
    with pytest.raises(Unknown):
        await registry.remove_tenant(GUID)
    with pytest.raises(Unknown):
        await registry.revoke_secret(GUID, GUID)


async def test_a_row_beyond_the_services_64_kib_is_refused_and_the_largest_below_is_kept(registry: Registry) -> None:
    client = await registry.add_client(Client(client_id=GUID, name="Large", tenants=()))
    # 36 characters of a GUID, two quotes and a comma each
    fitting, too_many = (tuple(str(UUID(int=number)) for number in range(count)) for count in (820, 850))
    with pytest.raises(Invalid, match="32768"):
        await registry.update_client(client.value.model_copy(update={"tenants": too_many}), client.etag)
    await registry.update_client(client.value.model_copy(update={"tenants": fitting}), client.etag)
    found = await registry.find_client(GUID)
    assert found is not None
    assert found.value.tenants == fitting


async def test_a_secret_stands_in_the_clients_row_as_a_hash(registry: Registry) -> None:
    await registry.add_client(Client(client_id=GUID, name="App", tenants="*"))
    secret, value = await registry.add_secret(GUID, PEPPER, expires=SOON, description="for production")
    row = await registry.storage.table("clients").get_entity(GUID, "client")
    assert value not in row["document"]
    found = await registry.find_client(GUID)
    assert found is not None
    assert found.value.secrets == (secret,)
    assert PEPPER.matches(value, found.value.secrets[0].hash)
    assert value.startswith(secret.hint)


async def test_one_write_adds_a_secret_and_revokes_the_others(registry: Registry) -> None:
    await registry.add_client(Client(client_id=GUID, name="App", tenants="*"))
    old = [(await registry.add_secret(GUID, PEPPER, expires=SOON))[0].secret_id for _ in range(3)]
    await registry.revoke_secret(GUID, old[0])
    first = await registry.find_client(GUID)
    assert first is not None
    revoked_first = first.value.secrets[0].revoked
    new, _ = await registry.add_secret(GUID, PEPPER, expires=SOON, revoke_others=True)
    found = await registry.find_client(GUID)
    assert found is not None
    states = {secret.secret_id: secret.state(now()) for secret in found.value.secrets}
    assert states == {**dict.fromkeys(old, "revoked"), new.secret_id: "active"}
    assert found.value.secrets[0].revoked == revoked_first


async def test_secrets_added_at_the_same_time_all_arrive(registry: Registry) -> None:
    await registry.add_client(Client(client_id=GUID, name="App", tenants="*"))
    made = await asyncio.gather(*(registry.add_secret(GUID, PEPPER, expires=SOON) for _ in range(4)))
    found = await registry.find_client(GUID)
    assert found is not None
    assert {secret.secret_id for secret in found.value.secrets} == {secret.secret_id for secret, _ in made}


async def test_a_secret_that_no_longer_works_makes_room_for_a_new_one(registry: Registry) -> None:
    await registry.add_client(Client(client_id=GUID, name="App", tenants="*"))
    made = [(await registry.add_secret(GUID, PEPPER, expires=SOON))[0].secret_id for _ in range(MAX_SECRETS)]
    with pytest.raises(Invalid, match="20 active secrets"):
        await registry.add_secret(GUID, PEPPER, expires=SOON)
    await registry.revoke_secret(GUID, made[5])
    new, _ = await registry.add_secret(GUID, PEPPER, expires=SOON)
    found = await registry.find_client(GUID)
    assert found is not None
    assert [secret.secret_id for secret in found.value.secrets] == [*made[:5], *made[6:], new.secret_id]


async def fill(registry: Registry, count: int) -> None:
    async def add(numbers: range) -> None:
        for number in numbers:
            await registry.add_tenant(tenant(str(UUID(int=number)), name=f"Hospital {number}"))

    await asyncio.gather(*(add(range(start, count, 16)) for start in range(16)))


@pytest.mark.e2e
async def test_more_than_a_thousand_rows_page(registry: Registry) -> None:
    await fill(registry, 1_203)
    expected = [str(UUID(int=number)) for number in range(1_203)]
    assert [stored.value.tenant_id async for stored in registry.tenants()] == expected
    paged: list[Stored[Tenant]] = []
    page = await registry.tenant_page(500)
    sizes = [len(page.items)]
    paged += page.items
    while page.continuation:
        page = await registry.tenant_page(500, page.continuation)
        sizes.append(len(page.items))
        paged += page.items
    assert sizes == [500, 500, 203]
    assert [stored.value.tenant_id for stored in paged] == expected
    assert len((await registry.tenant_page(5_000)).items) == 1_000


@pytest.mark.parametrize("continuation", ["!", "bm9uc2Vuc2U", "W10", "WzEsMl0", "é"])
async def test_a_made_up_continuation_is_refused(registry: Registry, continuation: str) -> None:
    with pytest.raises(Invalid) as error:
        await registry.tenant_page(10, continuation)
    assert error.value.field == "continuation"


async def test_an_empty_table_has_one_empty_page(registry: Registry) -> None:
    page = await registry.client_page(10)
    assert (page.items, page.continuation) == ((), "")
    assert [stored async for stored in registry.clients()] == []


async def test_a_warm_directory_outlives_its_storage_and_its_memory_is_bounded(settings: Settings) -> None:
    """Ten thousand tenants in the cache; the storage behind it can go away for CACHE_STALE_SECONDS."""

    class Registered(Registry):
        reads = 0

        async def find_tenant(self, tenant_id: str) -> Stored[Tenant] | None:
            self.reads += 1
            return Stored(tenant(tenant_id, notes=f"note of {tenant_id}"), "etag")

    registry = Registered.open(settings)
    directory = Directory(registry, settings)
    tracemalloc.start()
    try:
        for number in range(10_500):
            await directory.tenant(str(UUID(int=number)))
        assert tracemalloc.get_traced_memory()[0] < 60_000_000
    finally:
        tracemalloc.stop()
    reads, started = registry.reads, time.perf_counter()
    for number in range(10_400, 10_500):
        assert await directory.tenant(str(UUID(int=number))) is not None
    assert registry.reads == reads
    assert time.perf_counter() - started < 0.1
    await registry.close()


async def test_storage_that_does_not_answer_is_named_without_its_key() -> None:
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=nobody;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:1/nobody;"
    )
    registry = Registry.open(
        Settings.model_validate({"public_base_url": "https://g.example", "tables_connection": connection})
    )
    with pytest.raises(StorageUnavailable) as error:
        await registry.find_tenant(GUID)
    assert "c2VjcmV0" not in f"{error.value.public} {error.value.detail}"
    assert error.value.status == 503
    with pytest.raises(StorageUnavailable):
        await registry.tenant_page(1)
    await registry.close()


async def test_last_used_is_written_once_in_a_while_and_leaves_the_clients_etag_alone(registry: Registry) -> None:
    uses = Uses(registry.storage)
    client = await registry.add_client(Client(client_id=GUID, name="App", tenants="*"))
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    uses.note(GUID, "one", at)
    uses.note(GUID, "key/with#odd?characters", at)
    uses.note(GUID, "one", at + PRECISION / 2)
    await uses.settle()
    assert await uses.last(GUID) == {"one": at, "key/with#odd?characters": at}
    uses.note(GUID, "one", at + PRECISION)
    await uses.settle()
    assert (await uses.last(GUID))["one"] == at + PRECISION
    assert await registry.find_client(GUID) == client
