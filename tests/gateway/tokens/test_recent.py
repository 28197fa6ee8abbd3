"""Equal requests within a few seconds share a token (ADR 0013), and what must not be shared."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from gateway.registry.models import now
from gateway.tokens.keys import SIGNING_KEYS
from gateway.tokens.recent import WINDOW_SECONDS, Grant, RecentTokens, SignedToken
from tests.gateway.tokens.harness import OTHER_TENANT, TENANT, Gateway, basic, claims_of, open_gateway

GRANT = Grant("client", "credential", TENANT, TENANT, "key")


class Clock:
    """A whole second that stands until a test moves it."""

    def __init__(self) -> None:
        self.at = now()

    def __call__(self) -> datetime:
        return self.at

    def advance(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)


class Revoked:
    def __init__(self, *jtis: str) -> None:
        self.jtis = set(jtis)

    def known(self, jti: str) -> bool:
        return jti in self.jtis


@pytest.fixture
def clock(own_gateway: Gateway) -> Clock:
    """Of the token endpoint alone."""
    clock = Clock()
    own_gateway.service.tokens._clock = clock
    return clock


def _token(number: int = 1, issued: int = 1000, lifetime: int = 3600) -> SignedToken:
    return SignedToken(f"text{number}", f"jti{number}", issued, issued + lifetime)


async def _draw(g: Gateway, **fields: str) -> dict[str, Any]:
    answer = await g.post(g.form(**fields))
    assert answer.status == 200, answer.body
    content: dict[str, Any] = orjson.loads(answer.body)
    return content


async def test_equal_requests_share_a_token_whose_remaining_life_is_told(own_gateway: Gateway, clock: Clock) -> None:
    first = await _draw(own_gateway)
    clock.advance(WINDOW_SECONDS - 1)
    second = await _draw(own_gateway)
    assert second["access_token"] == first["access_token"]
    assert (first["expires_in"], second["expires_in"]) == (3600, 3600 - (WINDOW_SECONDS - 1))
    clock.advance(1)
    third = await _draw(own_gateway)
    assert third["access_token"] != first["access_token"]
    assert third["expires_in"] == 3600
    assert claims_of(third["access_token"])["jti"] != claims_of(first["access_token"])["jti"]


@pytest.mark.usefixtures("clock")
async def test_another_client_tenant_scope_or_credential_gets_another_token(own_gateway: Gateway) -> None:
    g = own_gateway
    many = {"client_id": g.many.client_id, "client_secret": g.many.secret}
    _, value = await g.service.registry.add_secret(
        g.app.client_id, await g.service.keys.pepper(), expires=datetime.now(UTC) + timedelta(days=1)
    )
    g.service.directory.forget(g.app.client_id)
    answers = [
        await _draw(g),
        await _draw(g, client_secret=value),
        await _draw(g, scope=f"{TENANT} system/Patient.rs"),
        await _draw(g, **many),
        await _draw(g, **many, scope=OTHER_TENANT),
    ]
    by_key = [await g.post(g.asserted(g.assertion(key))) for key in ("es384", "es256")]
    answers += [orjson.loads(answer.body) for answer in by_key]
    assert len({answer["access_token"] for answer in answers}) == len(answers)
    credentials = [claims_of(answer["access_token"])["credential"] for answer in answers]
    assert credentials[0] == g.app.secret_id
    assert len(set(credentials)) == 5  # one of `app` more, one of `many`, two keys of `many`


@pytest.mark.usefixtures("clock")
async def test_each_assertion_is_checked_and_used_up_though_the_token_is_shared(own_gateway: Gateway) -> None:
    g = own_gateway
    used = g.assertion()
    answers = [await g.post(g.asserted(assertion)) for assertion in (used, g.assertion(), used)]
    assert [answer.status for answer in answers] == [200, 200, 401]
    first, second = (orjson.loads(answer.body)["access_token"] for answer in answers[:2])
    assert first == second


@pytest.mark.usefixtures("clock")
async def test_a_revoked_token_is_not_handed_out_again(own_gateway: Gateway) -> None:
    g = own_gateway
    token = await g.token()
    assert await g.token() == token
    assert (await g.post(g.form(token=token), path="/oauth2/revoke")).status == 200
    fresh = await g.token()
    assert fresh != token
    assert [(await g.use(each)).status for each in (token, fresh)] == [401, 405]


async def test_a_new_signing_key_signs_at_once(own_gateway: Gateway, clock: Clock) -> None:
    g = own_gateway
    token = await g.token()
    ring = await g.service.keys.ring()
    rotated = ring.rotated(clock(), delay=timedelta(0), token_lifetime=timedelta(hours=1))
    await g.service.secrets.set(SIGNING_KEYS, str(rotated))
    g.service.keys._rings.forget(SIGNING_KEYS)
    assert await g.token() != token


@pytest.mark.usefixtures("clock")
async def test_every_check_runs_though_a_token_is_at_hand(own_gateway: Gateway) -> None:
    g = own_gateway
    await g.token()
    wrong = {"authorization": basic(g.app.client_id, "pgw_" + "x" * 43)}
    answer = await g.post({"grant_type": "client_credentials", "scope": TENANT}, wrong)
    assert answer.status == 401

    tenant = await g.service.registry.find_tenant(TENANT)
    assert tenant is not None
    await g.service.registry.update_tenant(tenant.value.model_copy(update={"enabled": False}), tenant.etag)
    g.service.directory.forget(TENANT)
    assert orjson.loads((await g.post(g.form())).body)["error"] == "invalid_scope"
    again = await g.service.registry.find_tenant(TENANT)
    assert again is not None
    await g.service.registry.update_tenant(again.value.model_copy(update={"enabled": True}), again.etag)
    g.service.directory.forget(TENANT)
    await g.token()

    client = await g.service.registry.find_client(g.app.client_id)
    assert client is not None
    elsewhere = client.value.model_copy(update={"tenants": (OTHER_TENANT,)})
    await g.service.registry.update_client(elsewhere, client.etag)
    g.service.directory.forget(g.app.client_id)
    assert orjson.loads((await g.post(g.form())).body)["error"] == "invalid_scope"

    client = await g.service.registry.find_client(g.app.client_id)
    assert client is not None
    disabled = client.value.model_copy(update={"tenants": (TENANT,), "enabled": False})
    await g.service.registry.update_client(disabled, client.etag)
    g.service.directory.forget(g.app.client_id)
    assert (await g.post(g.form())).status == 401


@pytest.mark.usefixtures("clock")
async def test_a_revoked_secret_draws_nothing_though_a_token_is_at_hand(own_gateway: Gateway) -> None:
    g = own_gateway
    await g.token()
    await g.service.registry.revoke_secret(g.app.client_id, g.app.secret_id)
    g.service.directory.forget(g.app.client_id)
    assert (await g.post(g.form())).status == 401


@pytest.fixture
async def slow_gateway(
    azurite_accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    keys = tmp_path_factory.mktemp("keys")
    async with open_gateway(next(azurite_accounts), keys, CLIENT_RATE_PER_SECOND="2") as opened:
        yield opened


async def test_shared_tokens_count_for_the_rate(slow_gateway: Gateway) -> None:
    answers = [await slow_gateway.post(slow_gateway.form()) for _ in range(4)]
    assert 429 in {answer.status for answer in answers}


@pytest.mark.parametrize(("lifetime", "window"), [(60, 0), (200, 2), (500, 5), (86_400, 5)])
def test_the_window_is_at_most_a_hundredth_of_the_life(lifetime: int, window: int) -> None:
    recent = RecentTokens(Revoked(), lifetime)
    recent.keep(GRANT, _token(lifetime=lifetime))
    found = [recent.find(GRANT, 1000 + age) is not None for age in range(8)]
    assert found == [age < window for age in range(8)]


def test_a_window_of_nothing_shares_nothing() -> None:
    recent = RecentTokens(Revoked(), 3600, window=0)
    recent.keep(GRANT, _token())
    assert recent.find(GRANT, 1000) is None


def test_a_clock_that_is_set_back_shares_nothing() -> None:
    recent = RecentTokens(Revoked(), 3600)
    recent.keep(GRANT, _token())
    assert recent.find(GRANT, 999) is None


def test_a_token_known_as_revoked_is_not_found() -> None:
    revoked = Revoked()
    recent = RecentTokens(revoked, 3600)
    recent.keep(GRANT, _token())
    assert recent.find(GRANT, 1001) == _token()
    revoked.jtis.add("jti1")
    assert recent.find(GRANT, 1001) is None


def test_memory_is_bounded() -> None:
    recent = RecentTokens(Revoked(), 3600)
    for number in range(10_000):
        recent.keep(GRANT._replace(client_id=str(number)), _token(number))
    assert len(recent) <= 4096
    for number in range(5000):
        recent.keep(GRANT._replace(client_id=f"later {number}"), _token(number, issued=2000))
    assert recent.find(GRANT._replace(client_id="9999"), 2000) is None
    assert len(recent) <= 4096
    recent = RecentTokens(Revoked(), 3600)
    recent.keep(GRANT._replace(scope="x" * 10_000), _token())
    assert len(recent) == 0
