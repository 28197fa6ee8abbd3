from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import StorageUnavailable
from gateway.registry.expiring import ExpiringRows
from gateway.registry.storage import Storage

AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
SOON = (AT + timedelta(minutes=10)).timestamp()


@pytest.fixture(autouse=True)
async def things(storage: Storage) -> None:
    await storage.ensure(["things"])


async def test_a_key_is_added_once_and_held_for_every_instance(storage: Storage) -> None:
    one, other = ExpiringRows(storage.table("things")), ExpiringRows(storage.table("things"))
    assert not await one.holds("key", SOON)
    assert await one.add("key", SOON, AT)
    assert await other.holds("key", SOON)
    assert not await other.add("key", SOON, AT)
    assert not await other.holds("another", SOON)
    await one.settle()
    await other.settle()


async def test_what_has_ended_is_cleared_by_whoever_adds_an_hour_later(storage: Storage) -> None:
    one, other = ExpiringRows(storage.table("things")), ExpiringRows(storage.table("things"))
    await one.add("key", SOON, AT)
    await one.settle()
    later = AT + timedelta(hours=2)
    await other.add("new", later.timestamp() + 60, later)
    await other.settle()
    assert not await one.holds("key", SOON)
    assert await one.holds("new", later.timestamp() + 60)


async def test_a_table_that_is_not_there_is_no_answer_until_something_is_added(storage: Storage) -> None:
    """Else every session would count as one that nobody ended."""
    rows = ExpiringRows(storage.table("missing"))
    with pytest.raises(StorageUnavailable):
        await rows.holds("key", SOON)
    assert await rows.add("key", SOON, AT)
    assert await rows.holds("key", SOON)
    assert not await rows.add("key", SOON, AT)
    await rows.settle()
