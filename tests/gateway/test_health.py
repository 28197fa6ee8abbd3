import asyncio
from datetime import UTC, datetime, timedelta

from gateway.errors import StorageUnavailable
from gateway.health import Dependency, Health
from gateway.registry.cache import Source

START = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
STALE = timedelta(minutes=15)


class Rig:
    """Two dependencies that are up, unless the test says otherwise."""

    def __init__(self) -> None:
        self.now = START
        self.down: set[str] = set()
        self.asked = 0
        self.suspended: dict[str, str] = {}
        self.key = Source("signing-keys", "secret")
        self.health = Health(
            {
                "tables": Dependency(lambda: self._check("tables"), (Source("tenants", "table"),), STALE),
                "keys": Dependency(lambda: self._check("keys"), (self.key,), timedelta(days=7), from_memory=True),
            },
            lambda: self.suspended,
            lambda: self.now,
        )

    async def _check(self, name: str) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if name in self.down:
            raise StorageUnavailable("no answer")

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)


async def test_all_is_well() -> None:
    assert await Rig().health.report() == {
        "status": "ok",
        "dependencies": {
            "tables": {"status": "ok"},
            "keys": {"status": "ok"},
            "upstreams": {"status": "ok", "circuits_open": 0},
        },
    }


async def test_without_tables_it_is_degraded_while_memory_serves_and_then_unavailable() -> None:
    rig = Rig()
    await rig.health.report()
    rig.down = {"tables"}
    rig.later(minutes=1)
    report = await rig.health.report()
    assert report["status"] == "degraded"
    assert report["dependencies"]["tables"] == {"status": "unavailable", "since": "2026-11-24T23:01:00Z"}
    rig.later(minutes=14)
    report = await rig.health.report()
    assert report["status"] == "degraded"
    assert report["dependencies"]["tables"]["since"] == "2026-11-24T23:01:00Z"
    rig.later(minutes=1)
    assert (await rig.health.report())["status"] == "unavailable"
    rig.down = set()
    rig.later(minutes=1)
    report = await rig.health.report()
    assert (report["status"], report["dependencies"]["tables"]) == ("ok", {"status": "ok"})


async def test_an_instance_that_has_read_nothing_yet_cannot_serve() -> None:
    rig = Rig()
    rig.down = {"tables"}
    assert (await rig.health.report())["status"] == "unavailable"


async def test_keys_that_are_known_but_cannot_be_read_anew_are_told_with_the_time_of_the_first_failure() -> None:
    rig = Rig()
    rig.key.failing_since = START - timedelta(hours=2)
    report = await rig.health.report()
    assert report["status"] == "degraded"
    assert report["dependencies"]["keys"] == {"status": "unavailable", "since": "2026-11-24T21:00:00Z"}


async def test_keys_that_were_never_read_are_unavailable() -> None:
    rig = Rig()
    rig.down = {"keys"}
    assert (await rig.health.report())["status"] == "unavailable"


async def test_hospitals_are_counted_and_take_nothing_down() -> None:
    rig = Rig()
    rig.suspended = {"7c9e6679-7425-40de-944b-e07fc1f90ae7": "open"}
    report = await rig.health.report()
    assert report["status"] == "ok"
    assert report["dependencies"]["upstreams"] == {"status": "degraded", "circuits_open": 1}
    assert "7c9e6679" not in str(report)


async def test_a_crowd_that_asks_costs_one_check_a_second() -> None:
    rig = Rig()
    await asyncio.gather(*(rig.health.report() for _ in range(50)))
    rig.later(seconds=0.9)
    await rig.health.report()
    assert rig.asked == 2
    rig.later(seconds=0.1)
    await rig.health.report()
    assert rig.asked == 4
