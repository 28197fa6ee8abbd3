import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from gateway.errors import Throttled, UpstreamBroken, UpstreamSuspended, UpstreamTimeout
from gateway.settings import Settings
from gateway.upstream import Credentials, Upstream, retries
from gateway.upstream import responses as responses_module
from gateway.upstream.answers import read_answer
from gateway.upstream.circuit import FAILURES, FIRST_PAUSE_SECONDS
from gateway.upstream.session import open_session
from tests.gateway.upstream.conftest import MemorySecrets, TenantOf
from tests.upstreams.behaviour import Behaviour
from tests.upstreams.faults import Endless, Fault, Html, Redirect, Reset, Slow, Status, Truncated
from tests.upstreams.server import EmulatedServer, emulate


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await call()
    return time.perf_counter() - started


async def test_a_read_comes_back_as_the_server_sent_it(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        response = await upstream.send(tenant_of(server), "GET", "Patient/p1", {"x-request-id": "r1"})
        assert response.status == 200
        assert read_answer(response).resource["id"] == "p1"
        [seen] = server.requests
        assert seen.headers["x-request-id"] == "r1"
        assert "gzip" in seen.headers["accept-encoding"]
        assert "authorization" not in seen.headers


@pytest.mark.parametrize("gzip", [True, False])
async def test_an_answer_of_many_packets_is_whole(gzip: bool, upstream: Upstream, tenant_of: TenantOf) -> None:
    text = "".join(f"{number:07}" for number in range(100_000))
    resources = {"Patient": [{"resourceType": "Patient", "id": "p1", "language": text}]}
    async with emulate(Behaviour(gzip=gzip), resources) as server:
        answer = read_answer(await upstream.send(tenant_of(server), "GET", "Patient/p1", {}))
    assert answer.resource["language"] == text


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once; how long they wait otherwise is test_retries' business."""
    monkeypatch.setattr(retries, "_FIRST_SECONDS", 0.001)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("fault", [Status(502), Status(503), Status(504), Status(429), Reset(), Reset(mid_body=True)])
async def test_a_read_is_repeated_after_a_passing_failure(
    fault: Fault, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate() as server:
        server.faults.extend([fault, fault])
        response = await upstream.send(tenant_of(server), "GET", "Patient/p1", {})
        assert response.status == 200
        assert len(server.requests) >= 3


@pytest.mark.parametrize("status", [400, 404, 410, 500, 501])
async def test_other_answers_are_not_repeated(status: int, upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.always = Status(status)
        response = await upstream.send(tenant_of(server), "GET", "Patient/p1", {})
        assert response.status == status
        assert len(server.requests) == 1


@pytest.mark.usefixtures("hasty")
async def test_a_form_search_is_a_read_and_a_batch_is_not_repeated(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.faults.append(Status(503))
        form = {"content-type": "application/x-www-form-urlencoded"}
        found = await upstream.send(tenant_of(server), "POST", "Patient/_search", form, b"gender=male")
        assert found.status == 200
        server.faults.append(Status(503))
        assert (await upstream.send(tenant_of(server), "POST", "", {}, b"{}")).status == 503


async def test_retry_after_is_waited_for(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.faults.append(Status(429, retry_after="1"))
        seconds = await timed(lambda: upstream.send(tenant_of(server), "GET", "Patient/p1", {}))
    assert 1.0 <= seconds < 2.0


async def test_a_longer_retry_after_than_the_budget_is_handed_to_the_caller(
    upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate() as server:
        server.faults.append(Status(429, retry_after="30"))
        started = time.perf_counter()
        response = await upstream.send(tenant_of(server), "GET", "Patient/p1", {})
        assert (response.status, response.headers["Retry-After"]) == (429, "30")
        assert time.perf_counter() - started < 1


@pytest.mark.parametrize("fault", [Html(), Html(500), Truncated()])
async def test_what_is_not_fhir_json_is_a_broken_upstream(
    fault: Fault, upstream: Upstream, tenant_of: TenantOf
) -> None:
    async with emulate() as server:
        server.always = fault
        with pytest.raises(UpstreamBroken, match="not FHIR JSON"):
            read_answer(await upstream.send(tenant_of(server), "GET", "Patient/p1", {}))


async def test_a_refusal_without_a_fhir_body_gets_one(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.always = Html(404)
        answer = read_answer(await upstream.send(tenant_of(server), "GET", "Patient/p1", {}))
    assert answer.status == 404
    assert answer.resource["issue"][0]["code"] == "not-found"


@pytest.mark.usefixtures("hasty")
async def test_a_server_that_is_down_is_a_broken_upstream(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        tenant = tenant_of(server)
    with pytest.raises(UpstreamBroken, match="cannot be reached"):
        await upstream.send(tenant, "GET", "Patient/p1", {})


async def test_an_answer_beyond_the_limit_is_cut_off(
    upstream: Upstream, tenant_of: TenantOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses_module, "MAX_BYTES", 1_000_000)
    async with emulate() as server:
        server.always = Endless(200_000_000)
        with pytest.raises(UpstreamBroken, match="too large"):
            await upstream.send(tenant_of(server), "GET", "Patient", {})


async def test_other_charsets_become_utf8(upstream: Upstream, tenant_of: TenantOf) -> None:
    resources = {"Patient": [{"resourceType": "Patient", "id": "p1", "gender": "male"}]}
    async with emulate(Behaviour(content_type="application/fhir+json; charset=iso-8859-1"), resources) as server:
        server.faults.append(Latin())
        answer = read_answer(await upstream.send(tenant_of(server), "GET", "Patient/p1", {}))
    assert answer.resource["name"] == "Müller"


class Latin:
    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        del request
        body = '{"resourceType":"Patient","name":"Müller"}'.encode("iso-8859-1")
        return aiohttp.web.Response(body=body, headers={"Content-Type": "application/json; charset=ISO-8859-1"})


async def test_redirects_stay_at_the_server(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server, emulate() as elsewhere:
        server.faults.append(Redirect("/fhir/Patient/p2"))
        answer = read_answer(await upstream.send(tenant_of(server), "GET", "Patient/p1", {}))
        assert answer.resource["id"] == "p2"
        server.faults.append(Redirect(f"{elsewhere.base_url}/Patient/p1"))
        with pytest.raises(UpstreamBroken, match="another address"):
            await upstream.send(tenant_of(server), "GET", "Patient/p1", {})
        assert elsewhere.requests == []
        server.always = Redirect("/fhir/Patient/p1")
        with pytest.raises(UpstreamBroken, match="without end"):
            await upstream.send(tenant_of(server), "GET", "Patient/p1", {})


@pytest.fixture
async def impatient(settings: Settings, secrets: MemorySecrets, clock: "Clock") -> AsyncIterator[Upstream]:
    session = open_session(settings)
    quick = settings.model_copy(update={"upstream_timeout_seconds": 0.15, "tenant_max_concurrency": 8})
    upstream = Upstream(quick, session, Credentials(secrets, session, quick), clock)
    yield upstream
    await session.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_slow_server_is_a_timeout(impatient: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.always = Slow(5)
        seconds = await timed(lambda: _expect(UpstreamTimeout, impatient, server, tenant_of))
    assert 0.15 <= seconds < 0.6


async def _expect(
    error: type[Exception], upstream: Upstream, server: EmulatedServer, tenant_of: TenantOf
) -> BaseException:
    with pytest.raises(error) as caught:
        await upstream.send(tenant_of(server), "GET", "Patient/p1", {})
    return caught.value


async def test_the_circuit_opens_tries_once_and_closes(impatient: Upstream, tenant_of: TenantOf, clock: Clock) -> None:
    async with emulate() as server:
        server.always = Slow(5)
        for _ in range(FAILURES):
            await _expect(UpstreamTimeout, impatient, server, tenant_of)
        asked = len(server.requests)
        error = await _expect(UpstreamSuspended, impatient, server, tenant_of)
        assert isinstance(error, UpstreamSuspended)
        assert error.headers["Retry-After"] == str(int(FIRST_PAUSE_SECONDS))
        assert len(server.requests) == asked

        clock.now += FIRST_PAUSE_SECONDS
        probing = asyncio.create_task(_expect(UpstreamTimeout, impatient, server, tenant_of))
        await asyncio.sleep(0.05)
        await _expect(UpstreamSuspended, impatient, server, tenant_of)  # one at a time may try
        await probing
        assert len(server.requests) == asked + 1

        clock.now += FIRST_PAUSE_SECONDS
        await _expect(UpstreamSuspended, impatient, server, tenant_of)  # the pause has doubled
        clock.now += FIRST_PAUSE_SECONDS
        server.always = None
        for _ in range(3):
            assert (await impatient.send(tenant_of(server), "GET", "Patient/p1", {})).status == 200


async def test_a_caller_who_goes_away_tells_nothing_about_the_server(
    impatient: Upstream, tenant_of: TenantOf, clock: Clock
) -> None:
    del clock
    async with emulate() as server:
        server.always = Slow(5)
        for _ in range(FAILURES + 1):
            task = asyncio.create_task(impatient.send(tenant_of(server), "GET", "Patient/p1", {}))
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        server.always = None
        assert (await impatient.send(tenant_of(server), "GET", "Patient/p1", {})).status == 200


async def test_a_tenants_own_limit_holds(upstream: Upstream, tenant_of: TenantOf) -> None:
    inside = most = 0

    class Counting:
        async def answer(self, request: aiohttp.web.Request) -> None:
            nonlocal inside, most
            del request
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    async with emulate() as server:
        server.always = Counting()
        tenant = tenant_of(server, max_concurrency=3)
        answers = await asyncio.gather(*(upstream.send(tenant, "GET", "Patient/p1", {}) for _ in range(24)))
    assert {answer.status for answer in answers} == {200}
    assert most == 3


async def test_too_many_waiting_are_sent_away_at_once(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as server:
        server.always = Slow(0.05)
        tenant = tenant_of(server, max_concurrency=1)
        calls = (upstream.send(tenant, "GET", "Patient/p1", {}) for _ in range(20))
        results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [result for result in results if isinstance(result, Throttled)]
    assert len(refused) == 11  # one runs, eight wait
    assert refused[0].headers["Retry-After"] == "1"


async def test_one_hanging_hospital_does_not_slow_the_others(upstream: Upstream, tenant_of: TenantOf) -> None:
    async with emulate() as slow, emulate() as quick:
        hanging, healthy = tenant_of(slow), tenant_of(quick, tenant_id="08c9ec0b-c1a7-48c9-9525-6e48b0eadfb1")

        async def reads() -> list[float]:
            seconds: list[float] = []

            async def worker() -> None:
                seconds.extend(
                    [await timed(lambda: upstream.send(healthy, "GET", "Patient/p1", {})) for _ in range(40)]
                )

            await asyncio.gather(*(worker() for _ in range(8)))
            return seconds

        await reads()
        alone = p95(await reads())
        slow.always = Slow(60)
        stuck = [asyncio.create_task(upstream.send(hanging, "GET", "Patient/p1", {})) for _ in range(500)]
        await asyncio.sleep(0.3)
        beside = p95(await reads())
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    # Twice the time, and what a busy machine may add; a shared pool or queue would cost the 5 s of the time-out.
    assert beside < alone * 2 + 0.05, f"p95 {alone * 1000:.1f} ms alone, {beside * 1000:.1f} ms beside"
