import asyncio

import pytest

from gateway.errors import StorageUnavailable
from gateway.registry.cache import Cache

TTL = 30
STALE = 900


class Source:
    """Counts the loads of each key; `value` is answered, or raised when it is an exception."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.value: object = "first"
        self.loads = 0
        self.gate: asyncio.Event | None = None

    async def load(self, key: str) -> object:
        self.loads += 1
        value = self.value
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(value, Exception):
            raise value
        return None if key.startswith("unknown") else value

    def cache(self, size: int = 10) -> Cache[object]:
        return Cache(self.load, ttl=TTL, stale=STALE, size=size, clock=lambda: self.time)


@pytest.fixture
def source() -> Source:
    return Source()


async def background() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_warm_lookup_loads_nothing(source: Source) -> None:
    cache = source.cache()
    assert [await cache.get("a") for _ in range(100)] == ["first"] * 100
    assert cache.fresh("a") == ("first",)
    assert source.loads == 1


async def test_a_value_is_never_older_than_its_time_to_live(source: Source) -> None:
    cache = source.cache()
    await cache.get("a")
    source.value, source.time = "second", source.time + TTL
    assert cache.fresh("a") is None
    assert await cache.get("a") == "second"


async def test_a_value_in_use_is_refreshed_in_the_background_from_half_its_life_on(source: Source) -> None:
    cache = source.cache()
    await cache.get("a")
    source.value, source.time = "second", source.time + TTL / 2
    assert await cache.get("a") == "first"
    await background()
    assert await cache.get("a") == "second"
    source.time += TTL / 2 - 1
    assert cache.fresh("a") == ("second",)
    assert source.loads == 2


async def test_age_counts_from_before_the_read(source: Source) -> None:
    cache = source.cache()
    source.gate = asyncio.Event()
    waiting = asyncio.create_task(cache.get("a"))
    await background()
    source.time += TTL
    source.gate.set()
    assert await waiting == "first"
    assert cache.fresh("a") is None


async def test_concurrent_misses_load_once(source: Source) -> None:
    cache = source.cache()
    source.gate = asyncio.Event()
    waiting = [asyncio.create_task(cache.get("a")) for _ in range(50)]
    await background()
    waiting[0].cancel()
    source.gate.set()
    assert set(await asyncio.gather(*waiting[1:])) == {"first"}
    assert source.loads == 1


@pytest.mark.parametrize("failure", [StorageUnavailable("down"), RuntimeError("a defect"), TimeoutError()])
async def test_while_loading_fails_the_last_value_serves_until_it_is_too_stale(
    source: Source, failure: Exception
) -> None:
    cache = source.cache()
    await cache.get("a")
    source.value, source.time = failure, source.time + TTL
    assert await cache.get("a") == "first"
    source.time += STALE - 1
    assert await cache.get("a") == "first"
    source.time += 1
    with pytest.raises(type(failure)):
        await cache.get("a")
    source.value = "back"
    assert await cache.get("a") == "back"


async def test_while_loading_fails_it_is_tried_once_a_second(source: Source) -> None:
    cache = source.cache()
    await cache.get("a")
    source.value, source.time = StorageUnavailable("down"), source.time + TTL
    for _ in range(100):
        await cache.get("a")
    assert source.loads == 2
    source.time += 1
    await cache.get("a")
    assert source.loads == 3


async def test_a_failing_background_refresh_keeps_the_value_and_is_not_repeated_at_once(source: Source) -> None:
    cache = source.cache()
    await cache.get("a")
    source.value, source.time = RuntimeError("a defect"), source.time + TTL / 2
    for _ in range(10):
        assert cache.fresh("a") == ("first",)
        await background()
    assert source.loads == 2


async def test_slow_storage_holds_a_request_up_for_half_a_second_at_most(source: Source) -> None:
    cache = source.cache()
    await cache.get("a")
    source.value, source.time, source.gate = "second", source.time + TTL, asyncio.Event()
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await cache.get("a") == "first"
    assert 0.4 < loop.time() - started < 2
    source.gate.set()
    await background()
    assert cache.fresh("a") == ("second",)


async def test_the_least_recently_used_key_goes_first(source: Source) -> None:
    cache = source.cache(size=3)
    for key in ("a", "b", "c"):
        await cache.get(key)
    await cache.get("a")
    await cache.get("d")
    assert len(cache) == 3
    assert cache.fresh("b") is None
    assert all(cache.fresh(key) for key in ("a", "c", "d"))


async def test_made_up_keys_drive_out_no_real_one(source: Source) -> None:
    cache = source.cache(size=3)
    await cache.get("a")
    for number in range(100):
        assert await cache.get(f"unknown-{number}") is None
    assert cache.fresh("a") == ("first",)
    assert len(cache) == 4


async def test_an_unknown_key_is_remembered_until_it_comes_to_exist() -> None:
    time, value = 1000.0, None

    async def load(_key: str) -> str | None:
        return value

    cache = Cache(load, ttl=TTL, stale=STALE, size=10, clock=lambda: time)
    assert await cache.get("a") is None
    assert cache.fresh("a") == (None,)
    time, value = time + TTL, "made"
    assert await cache.get("a") == "made"
    assert len(cache) == 1


async def test_a_forgotten_key_is_read_anew_even_when_a_read_was_under_way(source: Source) -> None:
    cache = source.cache()
    source.gate = asyncio.Event()
    early = asyncio.create_task(cache.get("a"))
    await background()
    cache.forget("a")
    source.value = "changed"
    late = asyncio.create_task(cache.get("a"))
    await background()
    source.gate.set()
    assert await early == "first"
    assert await late == "changed"
    assert cache.fresh("a") == ("changed",)
