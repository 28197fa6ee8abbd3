"""The routes, before a real Table Storage that is there; tests/faults takes it away."""

import orjson
import pytest

from gateway.errors import StorageUnavailable
from tests.functions.harness import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_ready_names_each_dependency(gateway: Gateway) -> None:
    answer = await gateway.caller.request("GET", "/health/ready")
    assert (answer.status, answer.header("cache-control")) == (200, "no-store")
    assert orjson.loads(answer.body) == {
        "status": "ok",
        "dependencies": {
            "tables": {"status": "ok"},
            "keys": {"status": "ok"},
            "upstreams": {"status": "ok", "circuits_open": 0},
        },
    }


@pytest.mark.parametrize(("status", "http"), [("degraded", 200), ("unavailable", 503)])
async def test_only_an_instance_that_cannot_serve_is_503(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, status: str, http: int
) -> None:
    async def report() -> dict[str, str]:
        return {"status": status}

    monkeypatch.setattr(gateway.service.health, "report", report)
    assert (await gateway.caller.request("GET", "/health/ready")).status == http


async def test_the_report_finds_an_outage_of_the_real_parts(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_: str) -> None:
        raise StorageUnavailable("no answer")

    health = gateway.service.health
    await health.report()
    monkeypatch.setattr(health, "_known", None)
    monkeypatch.setattr(gateway.service.registry._tenants, "find", gone)
    report = await health.report()
    assert (report["status"], report["dependencies"]["tables"]["status"]) == ("degraded", "unavailable")
    assert report["dependencies"]["tables"]["since"].endswith("Z")
    monkeypatch.setattr(health, "_known", None)
