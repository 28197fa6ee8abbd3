"""What a run does to a server: it only reads, a few requests at a time, and not without end."""

import asyncio

import orjson
import pytest

from gateway.conformance import Depth, Options, Status
from gateway.conformance.allowance import Allowance, RequestLimitReached
from tests.gateway.conformance.conftest import Checked
from tests.gateway.conformance.fake_server import Asked, Fault, Given


@pytest.mark.parametrize("name", ["northfield", "lakeside", "riverbend"])
async def test_a_server_is_only_read(checked: Checked, name: str) -> None:
    asked: list[Asked] = []

    def remember(one: Asked) -> Given | None:
        asked.append(one)
        return None

    await checked(Fault(before=remember), name)
    assert len(asked) > 50
    for one in asked:
        if one.method == "GET":
            continue
        assert one.method == "POST"
        if one.below:
            assert one.below == "Patient/_search"
        else:
            entries = orjson.loads(one.body)["entry"]
            assert {entry["request"]["method"] for entry in entries} == {"GET"}


async def test_a_run_stops_at_its_limit(checked: Checked) -> None:
    asked: list[str] = []
    fault = Fault(before=lambda one: asked.append(one.below))
    report = await checked(fault, options=Options(max_requests=12))
    # The entries of the one batch are no requests of their own, and it was not reached.
    assert len(asked) == 12
    assert report.requests == {"server": 12}
    # What was not asked is not held against the server.
    assert not [result for result in report.results if result.status is Status.FAIL]
    skipped = {result.check.id: result.server.found for result in report.results if result.status is Status.SKIPPED}
    assert skipped["batch"] == ("not asked: the limit of requests was reached",)


async def test_a_smaller_sample_asks_less(checked: Checked) -> None:
    small, large = [await checked(Fault(), options=Options(depth=Depth(sample=sample))) for sample in (1, 5)]
    assert small.requests["server"] < large.requests["server"]


async def test_so_many_requests_at_a_time_and_no_more() -> None:
    allowance = Allowance(most=100, at_a_time=5)
    running, most = 0, 0

    async def one() -> None:
        nonlocal running, most
        async with allowance.one():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(one() for _ in range(50)))
    assert most == 5
    assert allowance.sent == 50


async def test_no_request_beyond_the_limit() -> None:
    allowance = Allowance(most=1, at_a_time=5)
    async with allowance.one():
        pass
    with pytest.raises(RequestLimitReached):
        async with allowance.one():
            pass
