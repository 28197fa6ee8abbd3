import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.errors import StorageUnavailable
from gateway.registry.cache import Cache, Source
from gateway.registry.expiry import Expiring
from gateway.registry.models import Client, ClientSecret

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Shaky:
    up = True

    async def load(self, key: str) -> str:
        if not self.up:
            raise StorageUnavailable("no answer about Featherstone")
        return key.upper()


def events(caplog: pytest.LogCaptureFixture, *names: str) -> list[dict[str, Any]]:
    return [
        {name: vars(record)[name] for name in ("event", *names) if name in vars(record)} for record in caplog.records
    ]


async def test_an_outage_is_told_once_a_minute_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.events")
    clock, storage = Clock(), Shaky()
    source = Source("tenants", "table")
    cache: Cache[str] = Cache(storage.load, ttl=10, stale=100, size=5, clock=clock, source=source)
    assert await cache.get("a") == "A"
    storage.up = False
    clock.now = 20
    assert await cache.get("a") == "A"
    clock.now = 30
    assert await cache.get("a") == "A"
    failing = [source.failing_since]
    with pytest.raises(StorageUnavailable):
        await cache.get("b")
    storage.up = True
    clock.now = 45.5
    assert await cache.get("a") == "A"
    failing.append(source.failing_since)
    assert [since is not None for since in failing] == [True, False]
    assert events(caplog, "cache", "serving", "error", "seconds") == [
        {"event": "storage-unavailable", "cache": "tenants", "serving": "stale", "error": "StorageUnavailable"},
        {"event": "storage-unavailable", "cache": "tenants", "serving": "nothing", "error": "StorageUnavailable"},
        {"event": "dependency-restored", "cache": "tenants", "seconds": 25.5},
    ]
    assert (cache.reads.hits, cache.reads.misses, cache.reads.stale) == (0, 3, 2)


async def test_keys_that_cannot_be_read_are_an_event_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    clock, vault = Clock(), Shaky()
    cache: Cache[str] = Cache(
        vault.load, ttl=10, stale=100, size=1, clock=clock, source=Source("signing-keys", "secret")
    )
    await cache.get("k")
    vault.up = False
    clock.now = 11
    await cache.get("k")
    (told,) = events(caplog, "secret", "serving", "error")
    assert told == {
        "event": "key-refresh-failed",
        "secret": "signing-keys",
        "serving": "stale",
        "error": "StorageUnavailable",
    }
    assert caplog.records[0].levelno == logging.ERROR


def client(*ends: timedelta, enabled: bool = True) -> Client:
    secrets = tuple(ClientSecret(secret_id=_id(number), hint="pgw_", hash="-", created=AT, expires=AT + end)
                    for number, end in enumerate(ends))  # fmt: skip
    return Client(client_id=_id(9), name="App", tenants="*", enabled=enabled, secrets=secrets)


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def test_a_secret_that_ends_soon_is_told_once_a_day(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    expiring = Expiring(lambda: AT, clock)
    ending = client(timedelta(days=13, hours=1))
    expiring.look(ending)
    expiring.look(ending)
    clock.now = 86_400
    expiring.look(ending)
    told = {
        "event": "secret-expiring",
        "client_id": _id(9),
        "secret_id": _id(0),
        "expires": "2026-12-07T13:00:00+00:00",
        "days": 13,
        "successors": 0,
    }
    assert events(caplog, *told) == [told, told]


def test_a_successor_is_counted_and_what_has_ended_or_lasts_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    expiring = Expiring(lambda: AT, Clock())
    expiring.look(client(timedelta(days=2), timedelta(days=90), timedelta(days=-1)))
    expiring.look(client(timedelta(days=15)))
    expiring.look(client(timedelta(days=1), enabled=False))
    assert [(told["secret_id"], told["successors"]) for told in events(caplog, "secret_id", "successors")] == [
        (_id(0), 1)
    ]
