import asyncio
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from gateway.errors import Invalid, StorageUnavailable, Unknown
from gateway.secrets import FileSecretStore
from gateway.tokens.keys import ACTIVATION_DELAY, JWKS_MAX_AGE_SECONDS, SIGNING_KEYS, KeyRing, Keys, SigningKey
from gateway.tokens.signer import sign

START = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = timedelta(hours=1)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing([SigningKey.generate(START)])


def rotated(ring: KeyRing, at: datetime, delay: timedelta = ACTIVATION_DELAY) -> KeyRing:
    return ring.rotated(at, delay=delay, token_lifetime=LIFE)


def kids(ring: KeyRing, at: datetime) -> list[str]:
    """Of the published set."""
    return [key["kid"] for key in ring.jwks(at)["keys"]]


def test_a_new_key_is_published_before_it_signs(ring: KeyRing) -> None:
    old = ring.signing(START).kid
    after = rotated(ring, START)
    assert len(kids(after, START)) == 2
    assert after.signing(START + ACTIVATION_DELAY - timedelta(seconds=1)).kid == old
    assert after.signing(START + ACTIVATION_DELAY).kid != old


def test_a_new_key_waits_longer_than_any_verifier_keeps_the_old_set() -> None:
    an_instance_and_then_a_verifier = timedelta(seconds=60 + JWKS_MAX_AGE_SECONDS)
    assert an_instance_and_then_a_verifier < ACTIVATION_DELAY


def test_the_old_key_verifies_until_the_last_of_its_tokens_has_ended(ring: KeyRing) -> None:
    old = ring.signing(START).kid
    after = rotated(ring, START)
    last_token_ends = START + ACTIVATION_DELAY + LIFE
    assert after.verifying(old, last_token_ends) is not None
    assert after.verifying(old, last_token_ends + timedelta(minutes=5)) is None
    assert old not in kids(after, last_token_ends + timedelta(minutes=5))


def test_rotating_twice_leaves_no_time_without_a_signing_key(ring: KeyRing) -> None:
    after = rotated(rotated(ring, START), START + timedelta(minutes=1))
    assert len(after.keys) == 3
    for minutes in range(0, 240, 5):
        assert after.signing(START + timedelta(minutes=minutes))


def test_a_retired_key_leaves_the_ring_at_the_next_rotation(ring: KeyRing) -> None:
    old = ring.signing(START).kid
    after = rotated(rotated(ring, START), START + timedelta(days=1))
    assert old not in [key.kid for key in after.keys]


def test_retiring_stops_a_key_at_once(ring: KeyRing) -> None:
    old = ring.signing(START).kid
    after = rotated(ring, START, timedelta(0)).without(old, START)
    assert after.verifying(old, START) is None
    assert after.signing(START).kid != old
    assert old not in kids(after, START)


def test_the_only_signing_key_cannot_be_retired(ring: KeyRing) -> None:
    with pytest.raises(Invalid, match="only key"):
        ring.without(ring.signing(START).kid, START)


def test_a_key_that_waits_does_not_stand_in_for_the_only_one(ring: KeyRing) -> None:
    with pytest.raises(Invalid):
        rotated(ring, START).without(ring.signing(START).kid, START)


def test_an_unknown_key_cannot_be_retired(ring: KeyRing) -> None:
    with pytest.raises(Unknown):
        ring.without("nobody", START)


def test_the_text_form_keeps_everything(ring: KeyRing) -> None:
    after = rotated(ring, START)
    read = KeyRing.parse(str(after))
    assert str(read) == str(after)
    assert read.jwks(START) == after.jwks(START)


async def test_without_keys_the_service_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        await Keys(FileSecretStore(tmp_path)).ring()


async def test_ensure_leaves_existing_keys_alone(tmp_path: Path) -> None:
    store = FileSecretStore(tmp_path)
    await Keys(store).ensure()
    before = await store.get(SIGNING_KEYS)
    await Keys(store).ensure()
    assert await store.get(SIGNING_KEYS) == before


async def test_the_first_key_signs_where_the_clock_is_late(tmp_path: Path) -> None:
    keys = Keys(FileSecretStore(tmp_path))
    await keys.ensure()
    ring = await keys.ring()
    assert ring.signing(datetime.now(UTC) - timedelta(minutes=4, seconds=50)) is ring.keys[0]


async def test_the_key_file_is_its_owners_only(tmp_path: Path) -> None:
    await Keys(FileSecretStore(tmp_path)).ensure()
    assert stat.S_IMODE((tmp_path / SIGNING_KEYS).stat().st_mode) == 0o600


def test_the_published_set_holds_public_members_only() -> None:
    ring = KeyRing([SigningKey.generate(START)])
    assert set(ring.jwks(START)["keys"][0]) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert '"d"' not in json.dumps(ring.jwks(START))
    assert ring.keys[0].kid in repr(ring)


async def test_no_request_fails_while_keys_rotate_under_load(tmp_path: Path) -> None:
    """What one instance signs, another one, which reads the store at another time, verifies."""
    store = FileSecretStore(tmp_path)
    instances = [Keys(store), Keys(store)]
    await instances[0].ensure()
    at = datetime.now(UTC)
    failures: list[str] = []
    used: set[str] = set()
    done = asyncio.Event()

    async def client() -> None:
        while not done.is_set():
            key = (await instances[0].ring()).signing(at)
            token = sign({"sub": "x"}, key)
            verifying = (await instances[1].ring()).verifying(key.kid, at)
            if verifying is None or not jwt.decode(token, verifying.public_key, algorithms=["ES256"]):
                failures.append(key.kid)
            used.add(key.kid)
            await asyncio.sleep(0)

    clients = [asyncio.create_task(client()) for _ in range(16)]
    for _ in range(4):
        await store.set(SIGNING_KEYS, str(rotated(KeyRing.parse(await store.get(SIGNING_KEYS)), at)))
        for instance in (instances[1], instances[0]):  # each reads it within its minute, not at once
            await asyncio.sleep(0.02)
            instance._rings.forget(SIGNING_KEYS)
        at += ACTIVATION_DELAY
        await asyncio.sleep(0.02)
    done.set()
    await asyncio.gather(*clients)
    assert failures == []
    assert len(used) == 5
