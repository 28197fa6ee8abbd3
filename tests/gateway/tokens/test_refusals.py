"""What the operator's log tells of failed authentications: why, and nothing that was sent."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.errors import TooManyFailures, TooManyTokens
from gateway.registry import Client
from gateway.tokens.failures import PER_CLIENT_AND_ADDRESS, Failures
from gateway.tokens.rate import TokenRate
from tests.gateway.tokens.harness import TENANT, Gateway, add_client, basic

pytestmark = pytest.mark.asyncio(loop_scope="module")
MISTAKE = "pgw_a-mistyped-secret-that-nobody-has"
STRANGER = "6f1b2c1e-8d1a-4c57-9a55-0c6f4f1f2aff"


@pytest.fixture(autouse=True)
def _every_level(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO, "gateway.events")
    yield
    assert MISTAKE not in caplog.text + str([vars(record) for record in caplog.records])


def told(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = [vars(record) for record in caplog.records if vars(record)["event"] == "authentication-failed"]
    return {name: record[name] for name in ("event", "reason", "method", "client_id")}


@pytest.mark.parametrize(
    ("fields", "reason", "method", "registered"),
    [
        ({"client_secret": MISTAKE}, "wrong-secret", "client_secret_post", True),
        ({"client_id": STRANGER}, "unknown-client", "client_secret_post", False),
        ({"client_id": MISTAKE}, "unknown-client", "client_secret_post", False),
    ],
)
async def test_a_wrong_secret(
    gateway: Gateway,
    caplog: pytest.LogCaptureFixture,
    fields: dict[str, str],
    reason: str,
    method: str,
    registered: bool,
) -> None:
    assert (await gateway.post(gateway.form(**fields))).status == 401
    assert told(caplog) == {
        "event": "authentication-failed",
        "reason": reason,
        "method": method,
        "client_id": gateway.app.client_id if registered else "",
    }


async def test_no_and_malformed_credentials(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    form = {"grant_type": "client_credentials", "scope": TENANT}
    assert (await gateway.post(form)).status == 401
    assert told(caplog)["reason"] == "no-credential"
    caplog.clear()
    assert (await gateway.post(form, {"authorization": f"Basic {MISTAKE}"})).status == 401
    assert told(caplog)["reason"] == "malformed"


async def test_a_secret_that_is_revoked_or_whose_client_is_disabled_or_uses_another_method(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    registry = gateway.service.registry
    form = {"grant_type": "client_credentials", "scope": TENANT}
    reasons = []
    gone = await add_client(gateway.service, Client(name="Gone", tenants="*"))
    await registry.revoke_secret(gone.client_id, gone.secret_id)
    disabled = await add_client(gateway.service, Client(name="Disabled", tenants="*", enabled=False))
    other = await add_client(gateway.service, Client(name="Other", tenants="*", auth_methods=("private_key_jwt",)))
    for client in (gone, disabled, other):
        caplog.clear()
        answer = await gateway.post(form, {"authorization": basic(client.client_id, client.secret)})
        assert answer.status == 401
        assert told(caplog)["client_id"] == client.client_id
        reasons.append(told(caplog)["reason"])
    assert reasons == ["revoked-secret", "disabled-client", "method-not-allowed"]


async def test_a_wrong_assertion(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    assertion = gateway.assertion(aud="https://elsewhere.example/token")
    assert (await gateway.post(gateway.asserted(assertion))).status == 401
    assert told(caplog) == {
        "event": "authentication-failed",
        "reason": "assertion",
        "method": "private_key_jwt",
        "client_id": gateway.many.client_id,
    }


async def test_a_right_request_is_no_event(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    await gateway.token()
    assert "authentication-failed" not in [vars(record)["event"] for record in caplog.records]


async def test_an_expired_secret(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(name="Late", tenants="*")
    await gateway.service.registry.add_client(client)
    pepper = await gateway.service.keys.pepper()
    _, value = await gateway.service.registry.add_secret(
        client.client_id, pepper, expires=datetime.now(UTC) - timedelta(seconds=1)
    )
    assert (await gateway.post(gateway.form(client_id=client.client_id, client_secret=value))).status == 401
    assert told(caplog)["reason"] == "expired-secret"


async def test_a_limit_is_told_once_a_minute_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    at = 0.0
    failures = Failures(lambda: at)
    for _ in range(PER_CLIENT_AND_ADDRESS):
        failures.add(STRANGER, "192.0.2.7")
    for _ in range(3):
        with pytest.raises(TooManyFailures):
            failures.add(STRANGER, "192.0.2.7")
    rate = TokenRate(1, lambda: at)
    rate.take(STRANGER)
    for _ in range(3):
        with pytest.raises(TooManyTokens):
            rate.take(STRANGER)
    limits = [(vars(record)["limit"], vars(record)["client_id"]) for record in caplog.records]
    assert limits == [("failures", ""), ("rate", STRANGER)]
    assert "192.0.2.7" not in str([vars(record) for record in caplog.records])
