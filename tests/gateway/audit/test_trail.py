import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.audit import AuditTrail, By, Change, Entry, verify
from gateway.errors import Invalid, Stale, StorageUnavailable
from gateway.registry import Registry
from gateway.registry.secret_values import Pepper

TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
OTHER = "0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11"


def renamed(tenant_id: str = TENANT, name: str = "New") -> Change:
    return Change("tenant.update", tenant_id, before={"name": "Old"}, after={"name": name}, state="0" * 64)


async def everything(trail: AuditTrail, size: int = 1000, **filters: str) -> list[Entry]:
    page = await trail.page(size, **filters)  # type: ignore[arg-type]  # only text filters are passed
    entries = list(page.items)
    while page.continuation:
        page = await trail.page(size, page.continuation, **filters)  # type: ignore[arg-type]  # likewise
        entries += page.items
    return entries


async def test_an_entry_comes_back_with_who_what_when_and_why(trail: AuditTrail, by: By) -> None:
    earliest = datetime.now(UTC) - timedelta(seconds=1)
    written = await trail.append(by, renamed())
    (read,) = await everything(trail)
    assert read == written
    assert (read.sequence, read.by, read.change) == (1, by, renamed())
    assert earliest < read.at < datetime.now(UTC) + timedelta(seconds=1)


async def test_the_newest_entry_is_listed_first_and_lists_page(trail: AuditTrail, by: By) -> None:
    await asyncio.gather(*(trail.append(by, renamed()) for _ in range(25)))
    assert [entry.sequence for entry in await everything(trail, 10)] == list(range(25, 0, -1))


async def test_entries_are_found_by_tenant_client_and_time(trail: AuditTrail, by: By) -> None:
    await trail.append(by, renamed())
    await trail.append(by, renamed(OTHER))
    await trail.append(by, Change("client.create", client_id=OTHER, after={}))
    assert [entry.sequence for entry in await everything(trail, tenant_id=TENANT)] == [1]
    assert [entry.sequence for entry in await everything(trail, client_id=OTHER)] == [3]
    await asyncio.sleep(0.01)
    later = datetime.now(UTC)
    await asyncio.sleep(0.01)
    await trail.append(by, renamed())
    assert [entry.sequence for entry in (await trail.page(10, since=later)).items] == [4]


async def test_what_two_instances_append_at_once_makes_one_chain(
    trail: AuditTrail, second_instance: AuditTrail, registry: Registry, pepper: Pepper, by: By
) -> None:
    async def one_by_one(instance: AuditTrail) -> None:
        for number in range(15):
            # Requests differ at least in this: two alike in the same millisecond would be taken for one sent twice.
            await instance.append(replace(by, correlation_id=f"{id(instance)}-{number}"), Change("key.rotate"))

    await asyncio.gather(one_by_one(trail), one_by_one(second_instance), one_by_one(trail))
    report = await verify(trail, registry, pepper)
    assert (report.entries, report.findings) == (45, ())


async def test_hundreds_of_appends_share_transactions(
    trail: AuditTrail, registry: Registry, pepper: Pepper, by: By
) -> None:
    large = {"notes": "x" * 20_000}
    changes = [Change("key.rotate", after=large if number % 5 == 0 else None) for number in range(300)]
    await asyncio.gather(*(trail.append(by, change) for change in changes))
    report = await verify(trail, registry, pepper)
    assert (report.entries, report.findings) == (300, ())


async def test_a_change_that_fails_is_told_of(trail: AuditTrail, by: By) -> None:
    with pytest.raises(Stale):
        async with trail.recorded(by, renamed()):
            raise Stale("changed by another")
    with pytest.raises(StorageUnavailable):
        async with trail.recorded(by, renamed()):
            raise StorageUnavailable("no answer")
    entries = [(entry.outcome, entry.of) for entry in await everything(trail)]
    assert entries == [("uncertain", 3), ("intended", None), ("failed", 1), ("intended", None)]


async def test_no_change_happens_without_its_row(by: By, trail: AuditTrail, registry: Registry) -> None:
    await registry.storage._service.delete_table("audit")
    happened = False
    with pytest.raises(StorageUnavailable):
        async with trail.recorded(by, renamed()):
            happened = True
    assert not happened


async def test_a_change_too_large_for_a_row_is_refused_and_harms_no_other(trail: AuditTrail, by: By) -> None:
    huge = trail.append(by, Change("tenant.update", TENANT, after={"notes": "x" * 40_000}))
    assert isinstance((await asyncio.gather(huge, return_exceptions=True))[0], Invalid)
    assert (await trail.append(by, renamed())).sequence == 1
