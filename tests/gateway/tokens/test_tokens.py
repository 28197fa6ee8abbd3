"""What a token is worth, from the request that drew it to its end."""

import asyncio
import logging
import random
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest

from gateway.registry.models import now
from gateway.tokens.failures import PER_CLIENT_AND_ADDRESS
from gateway.tokens.keys import SIGNING_KEYS
from gateway.tokens.scopes import Scope
from gateway.tokens.signer import sign
from tests.gateway.tokens.harness import (
    BASE_URL,
    KEYS,
    TENANT,
    Gateway,
    basic,
    claims_of,
    open_gateway,
    public_jwks,
)

GOOD = 405  # past the bearer check, and not supported there
TTL = 1.0
WRONG = "pgw_" + "x" * 43


async def _until(gateway: Gateway, token: str, status: int) -> float:
    """Seconds until the token is answered with this status; fails after twice the TTL."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while loop.time() - started < 2 * TTL:
        if (await gateway.use(token)).status == status:
            return loop.time() - started
        await asyncio.sleep(0.02)
    pytest.fail(f"never answered {status}")


async def test_the_token_is_what_rfc_9068_and_the_contract_say(own_gateway: Gateway) -> None:
    token = await own_gateway.token(scope=f"{TENANT} system/Patient.rs")
    answer = await own_gateway.caller.request("GET", "/oauth2/jwks")
    assert answer.header("cache-control") == "public, max-age=300"
    header = jwt.get_unverified_header(token)
    key = next(key for key in orjson.loads(answer.body)["keys"] if key["kid"] == header["kid"])
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": key["kid"]}
    claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["ES256"], audience=f"{BASE_URL}/fhir", issuer=BASE_URL)
    assert claims.pop("jti")
    assert claims.pop("exp") - claims.pop("iat") == 3600
    app = own_gateway.app
    assert claims == {
        "iss": BASE_URL,
        "aud": f"{BASE_URL}/fhir",
        "sub": app.client_id,
        "client_id": app.client_id,
        "scope": f"{TENANT} system/Patient.rs",
        "tenant": TENANT,
        "credential": app.secret_id,
    }


async def test_a_narrow_token_reaches_its_types_only(own_gateway: Gateway) -> None:
    token = await own_gateway.token(scope=f"{TENANT} system/Observation.read")
    assert (await own_gateway.use(token, "/fhir/r4/Patient/1")).status == 403
    assert (await own_gateway.use(token, "/fhir/r4/Observation/1")).status == 502


async def test_revoking_a_token_stops_it_here_at_once_and_elsewhere_within_the_ttl(
    tables_connection: str, tmp_path: Path
) -> None:
    async with open_gateway(tables_connection, tmp_path / "keys", CACHE_TTL_SECONDS="1") as one:
        token, other = await one.token(), await one.token(scope=f"{TENANT} system/*.read")
        async with _second_instance(one, tables_connection, tmp_path) as two:
            assert (await two.use(token)).status == GOOD
            answer = await one.post(one.form(token=token, token_type_hint="refresh_token"), path="/oauth2/revoke")
            assert (answer.status, answer.body) == (200, b"")
            assert answer.header("cache-control") == "no-store"
            refused = await one.use(token)
            assert refused.status == 401
            assert 'error="invalid_token"' in (refused.header("www-authenticate") or "")
            assert await _until(two, token, 401) <= 1.5 * TTL
            assert [(await each.use(other)).status for each in (one, two)] == [GOOD, GOOD]


async def test_revoking_by_basic_and_by_assertion(own_gateway: Gateway) -> None:
    g = own_gateway
    token = await g.token()
    headers = {"authorization": basic(g.app.client_id, g.app.secret)}
    assert (await g.post({"token": token}, headers, path="/oauth2/revoke")).status == 200
    assert (await g.use(token)).status == 401
    by_key = orjson.loads((await g.post(g.asserted(g.assertion()))).body)["access_token"]
    assert (await g.use(by_key)).status == GOOD
    assert (await g.post(g.asserted(g.assertion(), token=by_key), path="/oauth2/revoke")).status == 200
    assert (await g.use(by_key)).status == 401


async def test_revoking_what_is_no_token_is_no_error(own_gateway: Gateway) -> None:
    """RFC 7009 §2.2."""
    for text in ("x", "a.b.c", "é" * 10, "y" * 9000):
        assert (await own_gateway.post(own_gateway.form(token=text), path="/oauth2/revoke")).status == 200


async def test_another_clients_token_is_not_revoked(own_gateway: Gateway) -> None:
    """RFC 7009 §2.1."""
    g = own_gateway
    token = await g.token()
    form = g.form(client_id=g.many.client_id, client_secret=g.many.secret, token=token)
    answer = await g.post(form, path="/oauth2/revoke")
    assert (answer.status, orjson.loads(answer.body)["error"]) == (400, "invalid_grant")
    assert (await g.use(token)).status == GOOD


async def test_a_revoked_secret_stops_tokens_and_what_it_had_drawn(own_gateway: Gateway) -> None:
    g = own_gateway
    token = await g.token()
    await g.service.registry.revoke_secret(g.app.client_id, g.app.secret_id)
    assert await _until(g, token, 401) <= 1.5 * TTL
    assert (await g.post(g.form())).status == 401


@pytest.mark.e2e
async def test_an_expired_secret_stops_tokens_and_what_it_had_drawn(own_gateway: Gateway) -> None:
    g = own_gateway
    pepper = await g.service.keys.pepper()
    ends = datetime.now(UTC) + timedelta(seconds=1)
    _, value = await g.service.registry.add_secret(g.app.client_id, pepper, expires=ends)
    g.service.directory.forget(g.app.client_id)
    token = await g.token(client_secret=value)
    await asyncio.sleep(2.1)  # the service's clock counts whole seconds
    assert (await g.post(g.form(client_secret=value))).status == 401
    assert (await g.use(token)).status == 401


async def test_a_key_that_leaves_the_clients_document_stops_its_tokens(own_gateway: Gateway) -> None:
    g = own_gateway
    token = orjson.loads((await g.post(g.asserted(g.assertion("es384")))).body)["access_token"]
    other = orjson.loads((await g.post(g.asserted(g.assertion("es256")))).body)["access_token"]
    assert claims_of(token)["credential"].startswith("key:es384:")
    assert [(await g.use(each)).status for each in (token, other)] == [GOOD, GOOD]
    stored = await g.service.registry.find_client(g.many.client_id)
    assert stored is not None
    without = stored.value.model_copy(update={"jwks": public_jwks("es256", "rs384")})
    await g.service.registry.update_client(without, stored.etag)
    assert await _until(g, token, 401) <= 1.5 * TTL
    assert (await g.use(other)).status == GOOD
    assert (await g.post(g.asserted(g.assertion("es384")))).status == 401


async def test_an_assertion_is_good_once_on_any_instance(tables_connection: str, tmp_path: Path) -> None:
    async with (
        open_gateway(tables_connection, tmp_path / "keys") as one,
        _second_instance(one, tables_connection, tmp_path) as two,
    ):
        assertion = one.assertion()
        answers = await asyncio.gather(*(g.post(one.asserted(assertion)) for g in (one, two) for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [200] + 9 * [401]


async def test_used_assertions_are_cleared_once_they_have_ended(own_gateway: Gateway) -> None:
    used = own_gateway.service.used_assertions
    at = now()
    assert await used.add("a" * 64, at.timestamp() - 3 * 3600, at)
    await used.settle()
    later = at + timedelta(hours=1)
    assert await used.add("b" * 64, at.timestamp() + 200, later)
    await used.settle()
    rows = [row["RowKey"] async for row in used._table.list_entities()]
    assert rows == ["b" * 64]


async def test_failures_are_answered_with_429_and_a_right_secret_still_gets_its_token(own_gateway: Gateway) -> None:
    g = own_gateway
    here = {"x-forwarded-for": "203.0.113.7:4711"}
    for _ in range(PER_CLIENT_AND_ADDRESS):
        assert (await g.post(g.form(client_secret=WRONG), here)).status == 401
    answer = await g.post(g.form(client_secret=WRONG), here)
    assert answer.status == 429
    assert 0 < int(answer.header("retry-after") or 0) <= 60
    assert orjson.loads(answer.body)["error"] == "temporarily_unavailable"
    assert (await g.post(g.form(client_secret=WRONG), {"x-forwarded-for": "203.0.113.8"})).status == 401
    assert (await g.post(g.form(), here)).status == 200


async def test_assertions_are_not_even_checked_after_too_many_failures(own_gateway: Gateway) -> None:
    g = own_gateway
    here = {"x-forwarded-for": "203.0.113.7"}
    for _ in range(PER_CLIENT_AND_ADDRESS):
        assert (await g.post(g.asserted(g.assertion(aud="https://x.example")), here)).status == 401
    assert (await g.post(g.asserted(g.assertion()), here)).status == 429
    assert (await g.post(g.asserted(g.assertion()), {"x-forwarded-for": "203.0.113.8"})).status == 200


async def test_a_client_that_draws_too_many_tokens_is_told_when_to_come_back(
    tables_connection: str, tmp_path: Path
) -> None:
    async with open_gateway(tables_connection, tmp_path / "keys", CLIENT_RATE_PER_SECOND="3") as g:
        answers = [await g.post(g.form()) for _ in range(6)]
        refused = [answer for answer in answers if answer.status == 429]
        assert refused
        assert {answer.header("retry-after") for answer in refused} == {"1"}
        other = g.form(client_id=g.many.client_id, client_secret=g.many.secret)
        assert (await g.post(other)).status == 200


async def test_the_last_use_is_written_once_and_never_waited_for(own_gateway: Gateway) -> None:
    g = own_gateway
    for _ in range(20):
        await g.token()
    assert len(g.service.uses._writes) <= 1
    await g.service.uses.settle()
    used = (await g.service.uses.last(g.app.client_id))[g.app.secret_id]
    assert abs((datetime.now(UTC) - used).total_seconds()) < 30
    await g.token()
    assert not g.service.uses._writes


@pytest.mark.e2e
async def test_keys_and_secrets_rotate_under_load_and_no_valid_request_fails(own_gateway: Gateway) -> None:
    g = own_gateway
    registry, pepper = g.service.registry, await g.service.keys.pepper()
    current = g.app.secret
    wrong: list[Any] = []
    drawn = 0
    done = asyncio.Event()

    async def app(seed: int) -> None:
        nonlocal drawn
        choose = random.Random(seed)  # noqa: S311  # any numbers will do
        # Of its own, so that one does not revoke the other's token (ADR 0013).
        scope = f"{TENANT} system/*.rs system/Type{chr(ord('A') + seed)}.rs"
        while not done.is_set():
            answer = await g.post(g.form(client_secret=current, scope=scope))
            if answer.status != 200:
                wrong.append(answer.body)
                continue
            drawn += 1
            token = orjson.loads(answer.body)["access_token"]
            if (await g.use(token)).status != GOOD:
                wrong.append("token refused")
            if choose.random() < 0.3:
                await g.post(g.form(client_secret=current, token=token), path="/oauth2/revoke")
                if (await g.use(token)).status != 401:
                    wrong.append("revoked token taken")

    apps = [asyncio.create_task(app(seed)) for seed in range(8)]
    old = g.app.secret_id
    for _ in range(2):
        added, value = await registry.add_secret(g.app.client_id, pepper, expires=datetime.now(UTC) + timedelta(days=1))
        ring = (await g.service.keys.ring()).rotated(now(), delay=timedelta(0), token_lifetime=timedelta(hours=1))
        await g.service.secrets.set(SIGNING_KEYS, str(ring))
        g.service.keys._rings.forget(SIGNING_KEYS)
        await asyncio.sleep(TTL + 0.2)  # documented: switch once every instance has seen the new secret
        current = value
        await asyncio.sleep(0.3)  # requests with the old secret, and use of their tokens, come to an end
        await registry.revoke_secret(g.app.client_id, old)
        old = added.secret_id
        await asyncio.sleep(TTL + 0.2)
    done.set()
    await asyncio.gather(*apps)
    assert wrong == []
    assert drawn > 50


async def test_no_secret_assertion_or_token_is_in_any_log_line(
    own_gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    g = own_gateway
    caplog.set_level(logging.DEBUG)
    token = await g.token()
    assertion, bad = g.assertion(), g.assertion(aud="https://x.example")
    by_key = orjson.loads((await g.post(g.asserted(assertion))).body)["access_token"]
    await g.post(g.asserted(assertion))
    await g.post(g.asserted(bad))
    await g.post(g.form(client_secret=WRONG))
    header = basic(g.app.client_id, g.app.secret)
    await g.post({"grant_type": "client_credentials"}, {"authorization": header})
    await g.use(token)
    await g.use(token + "x")
    await g.post(g.form(token=token), path="/oauth2/revoke")
    await g.use(token)
    await g.service.uses.settle()
    assert caplog.records, "nothing was logged, so nothing was shown"
    logged = caplog.text
    hidden = [g.app.secret, WRONG, token, by_key, assertion, bad, header.removeprefix("Basic ")]
    hidden += [jwt_text.rpartition(".")[2] for jwt_text in (token, by_key, assertion, bad)]
    assert [text for text in hidden if text in logged] == []


async def test_tokens_of_others_are_refused(own_gateway: Gateway) -> None:
    g = own_gateway
    claims = claims_of(await g.token())
    ring = await g.service.keys.ring()
    key = ring.signing(now())
    header = {"kid": key.kid, "typ": "at+jwt"}
    assert (await g.use(sign(claims, key))).status == GOOD
    forged = [
        jwt.encode(claims, "", "none", headers=header),
        jwt.encode(claims, KEYS["es256"][1], "ES256", headers=header),
        jwt.encode(claims, "secret-secret-secret-secret-secret", "HS256", headers=header),
        jwt.encode(claims, key.private_key, "ES256", headers={**header, "typ": "JWT"}),
        jwt.encode(claims, key.private_key, "ES256", headers={**header, "kid": "other"}),
        sign({**claims, "aud": "https://elsewhere.example"}, key),
        sign({**claims, "iss": "https://elsewhere.example"}, key),
        sign({**claims, "exp": int(now().timestamp()) - 1}, key),
        sign({**claims, "credential": "00000000-0000-0000-0000-000000000000"}, key),
        sign({**claims, "credential": "key:es384:x"}, key),
        sign({**claims, "tenant": "00000000-0000-0000-0000-000000000000"}, key),
        sign({name: value for name, value in claims.items() if name != "jti"}, key),
    ]
    assert [(await g.use(token)).status for token in forged] == 12 * [401]


async def test_the_scope_of_a_token_is_read_as_granted(own_gateway: Gateway) -> None:
    token = await own_gateway.token(scope=f"{TENANT} system/Patient.read")
    verified, tenant = await own_gateway.service.verifier.verify(f"Bearer {token}")
    assert verified.scope == Scope((TENANT,), ("system/Patient.read",), frozenset({"Patient"}))
    assert tenant.tenant_id == TENANT


def _second_instance(one: Gateway, tables_connection: str, tmp_path: Path) -> AbstractAsyncContextManager[Gateway]:
    """Another process's view: the same storage and keys, nothing else shared."""
    return open_gateway(tables_connection, tmp_path / "keys", like=one, CACHE_TTL_SECONDS="1")
