import asyncio

import pytest

from gateway.errors import UpstreamBroken
from gateway.registry import Tenant
from gateway.secrets import SecretsUnavailable
from gateway.settings import Settings
from gateway.upstream import lanes, secret_cache, token_cache
from gateway.upstream.answers import read_answer
from gateway.upstream.lanes import Lanes
from gateway.upstream.responses import UpstreamResponse
from gateway.upstream.secret_cache import SecretCache
from gateway.upstream.token_cache import Token, TokenCache
from tests.gateway.upstream.conftest import TENANT_ID, MemorySecrets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Failing(MemorySecrets):
    down = False

    async def get(self, name: str) -> str:
        await asyncio.sleep(0)
        if self.down:
            raise SecretsUnavailable("Key Vault: ServiceRequestError")
        return await super().get(name)


async def test_a_secret_is_read_once_for_all_and_again_after_five_minutes() -> None:
    clock, store = Clock(), Failing(a=" value\n")
    cache = SecretCache(store, clock)
    assert set(await asyncio.gather(*(cache.get("a") for _ in range(50)))) == {"value"}
    clock.now = 299
    await cache.get("a")
    assert len(store.asked) == 1
    clock.now = 301
    await cache.get("a")
    assert len(store.asked) == 2


async def test_the_last_value_serves_while_the_store_is_down() -> None:
    clock, store = Clock(), Failing(a="value")
    cache = SecretCache(store, clock)
    await cache.get("a")
    clock.now, store.down = 10_000, True
    assert await cache.get("a") == "value"
    with pytest.raises(UpstreamBroken):
        await cache.get("b")


async def test_a_failed_refresh_is_shared_and_not_remembered() -> None:
    cache, asked = TokenCache(), 0

    async def fail() -> Token:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        raise UpstreamBroken("down")

    results = await asyncio.gather(*(cache.get("k", fail) for _ in range(30)), return_exceptions=True)
    assert all(isinstance(result, UpstreamBroken) for result in results)
    assert asked == 1

    async def work() -> Token:
        return Token("t", 300)

    assert await cache.get("k", work) == "t"


async def test_short_lives_are_used_at_least_by_half() -> None:
    clock, asked = Clock(), 0
    cache = TokenCache(clock)

    async def short() -> Token:
        nonlocal asked
        asked += 1
        return Token(f"t{asked}", 20)

    for clock.now, value in ((0.0, "t1"), (9.0, "t1"), (11.0, "t2")):
        assert await cache.get("k", short) == value


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(token_cache, "_KEPT", 10)
    monkeypatch.setattr(secret_cache, "_KEPT", 10)
    monkeypatch.setattr(lanes, "_LANES", 10)
    tokens, all_lanes = TokenCache(), Lanes(settings)
    secrets = SecretCache(MemorySecrets(**{f"s{index}": "x" for index in range(50)}))

    async def token() -> Token:
        return Token("t", 300)

    for index in range(50):
        await tokens.get(f"k{index}", token)
        await secrets.get(f"s{index}")
        all_lanes.of(tenant(f"https://e{index}.example.org/fhir"))
    assert len(tokens._tokens) == len(secrets._values) == len(all_lanes._lanes) == 10


async def test_a_lane_in_use_is_not_forgotten(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(lanes, "_LANES", 2)
    all_lanes = Lanes(settings)
    busy = all_lanes.of(tenant("https://busy.example.org/fhir"))
    async with busy:
        for index in range(10):
            all_lanes.of(tenant(f"https://e{index}.example.org/fhir"))
        assert all_lanes.of(tenant("https://busy.example.org/fhir")) is busy


def test_a_corrected_address_starts_with_a_closed_circuit(settings: Settings) -> None:
    all_lanes = Lanes(settings)
    assert all_lanes.of(tenant("https://a.example.org/fhir")) is not all_lanes.of(tenant("https://b.example.org/fhir"))


def test_a_token_is_not_shown_in_tracebacks() -> None:
    assert "very-secret" not in repr(Token("very-secret", 1))


@pytest.mark.parametrize("status", [401, 302, 204, 200, 500])
def test_answers_that_tell_the_caller_nothing_are_a_broken_upstream(status: int) -> None:
    with pytest.raises(UpstreamBroken):
        read_answer(UpstreamResponse(status, {}, b""))


def tenant(fhir_url: str) -> Tenant:
    return Tenant(tenant_id=TENANT_ID, name="T", fhir_url=fhir_url, fhir_version="r4")
