import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm

from gateway.audit import By
from gateway.errors import Duplicate, Invalid, InvalidFields, Stale, Unknown
from gateway.manage.changes import public_etag
from gateway.manage.documents import ClientMade, ClientNew, SecretNew, validated
from gateway.manage.operations import Operations
from gateway.registry import Registry
from gateway.registry.models import now
from gateway.tokens import Keys

GUID = "0b7e1d4c-6a51-4a0e-9f0c-2f5f1f6c2a11"
TENANT = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


async def make(operations: Operations, by: By, **fields: object) -> ClientMade:
    given: dict[str, object] = {"client_id": GUID, "name": "Patients app", "tenants": "*"}
    _, view = await operations.clients.create(by, validated(ClientNew, given | fields))
    return view


async def test_a_client_comes_with_its_first_secret(operations: Operations, by: By, keys: Keys) -> None:
    view = await make(operations, by)
    assert view.client_secret is not None
    assert view.expires is not None
    assert timedelta(days=179) < view.expires - datetime.now(UTC) <= timedelta(days=180)
    found = (await operations.clients.find(GUID)).value
    assert [secret.secret_id for secret in found.secrets] == [view.secret_id]
    assert (await keys.pepper()).matches(view.client_secret, found.secrets[0].hash)


async def test_neither_the_secret_nor_its_hash_is_in_the_trail_or_in_what_is_read_later(
    operations: Operations, by: By
) -> None:
    made = await make(operations, by)
    added = await operations.clients.add_secret(by, GUID, SecretNew(description="second"))
    stored = await operations.clients.find(GUID)
    shown = (await operations.clients.view(stored)).model_dump_json()
    told = str([entry.view() for entry in (await operations.trail.page(10)).items])
    hashes = [secret.hash for secret in stored.value.secrets]
    for value in (made.client_secret, added.client_secret, *hashes):
        assert value
        assert value not in shown
        assert value not in told
        assert value.partition("$")[2] == "" or value.rpartition("$")[2] not in told


async def test_without_a_secret_when_none_is_wanted(operations: Operations, by: By) -> None:
    view = await make(operations, by, secret=False)
    assert (view.client_secret, view.secret_id, view.expires, view.secrets) == (None, None, None, ())


async def test_the_id_is_made_when_none_is_given(operations: Operations, by: By) -> None:
    first, second = await make(operations, by, client_id=None), await make(operations, by, client_id=None)
    assert first.client_id != second.client_id


async def test_making_the_same_once_more_shows_no_secret(operations: Operations, by: By) -> None:
    await make(operations, by)
    again = await make(operations, by)
    assert again.client_secret is None
    assert len((await operations.clients.find(GUID)).value.secrets) == 1
    with pytest.raises(Duplicate) as error:
        await make(operations, by, tenants=[TENANT])
    assert error.value.field == "client_id"


async def test_a_tenant_that_is_not_there_yet_is_a_warning(operations: Operations, by: By) -> None:
    view = await make(operations, by, tenants=[TENANT])
    assert view.warnings == (f"No tenant has this id yet: {TENANT}.",)


async def test_one_call_replaces_every_other_secret(operations: Operations, by: By) -> None:
    first = await make(operations, by)
    second = await operations.clients.add_secret(by, GUID, SecretNew(revoke_others=True, expires="30d"))
    states = {secret.secret_id: secret.state for secret in await operations.clients.secrets(GUID)}
    assert states == {first.secret_id: "revoked", second.secret_id: "active"}
    entry = (await operations.trail.page(1)).items[0]
    assert entry.change.action == "secret.add"
    assert entry.change.after is not None
    assert set(entry.change.after) == {f"secret {first.secret_id}", f"secret {second.secret_id}"}


async def test_revoking_is_recorded_once(operations: Operations, by: By) -> None:
    view = await make(operations, by)
    assert view.secret_id is not None
    await operations.clients.revoke_secret(by, GUID, view.secret_id)
    await operations.clients.revoke_secret(by, GUID, view.secret_id)
    actions = [entry.change.action for entry in (await operations.trail.page(10)).items]
    assert actions == ["secret.revoke", "client.create"]
    with pytest.raises(Unknown):
        await operations.clients.revoke_secret(by, GUID, TENANT)


async def test_secrets_that_two_operators_add_at_once_both_arrive(operations: Operations, by: By) -> None:
    await make(operations, by, secret=False)
    made = await asyncio.gather(*(operations.clients.add_secret(by, GUID, SecretNew()) for _ in range(3)))
    there = {secret.secret_id for secret in await operations.clients.secrets(GUID)}
    assert there == {secret.secret_id for secret in made}
    assert (await operations.verify_audit()).findings == ()


async def test_an_update_needs_the_etag_that_it_names(operations: Operations, by: By) -> None:
    await make(operations, by)
    etag = public_etag(await operations.clients.find(GUID))
    made = await operations.clients.update(by, GUID, {"enabled": False, "tenants": [TENANT]}, etag)
    assert (made.stored.value.enabled, made.stored.value.tenants) == (False, (TENANT,))
    assert made.warnings
    with pytest.raises(Stale):
        await operations.clients.update(by, GUID, {"enabled": True}, etag)
    with pytest.raises(Stale):
        await operations.clients.remove(by, GUID, etag)
    await operations.clients.remove(by, GUID)
    with pytest.raises(Unknown):
        await operations.clients.find(GUID)
    assert (await operations.verify_audit()).findings == ()


async def test_the_last_use_of_a_secret_is_shown(operations: Operations, by: By, registry: Registry) -> None:
    view = await make(operations, by)
    assert view.secret_id is not None
    assert (await operations.clients.secrets(GUID))[0].last_used is None
    at = now()
    operations.uses.note(GUID, view.secret_id, at)
    await operations.uses.settle()
    assert (await operations.clients.secrets(GUID))[0].last_used == at
    assert (await registry.find_client(GUID)) is not None


def public_key() -> dict[str, Any]:
    return ECAlgorithm.to_jwk(generate_private_key(SECP256R1()).public_key(), as_dict=True)


async def test_public_keys_are_kept(operations: Operations, by: By) -> None:
    jwks = {"keys": [public_key() | {"kid": "one"}]}
    await make(operations, by, jwks=jwks, secret=False)
    assert (await operations.clients.find(GUID)).value.jwks == jwks


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"jwks": {}}, "jwks"),
        ({"jwks": {"keys": []}}, "jwks"),
        ({"jwks": {"keys": ["key"]}}, "jwks.keys.0"),
        ({"jwks": {"keys": [{"kty": "EC"}]}}, "jwks.keys.0"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "jwks.keys.0"),
        ({"jwks_uri": "http://client.example/jwks"}, "jwks_uri"),
        ({"expires": "soon"}, "expires"),
        ({"expires": "0d"}, "expires"),
        ({"expires": "3y"}, "expires"),
        ({"expires": "99999y"}, "expires"),
        ({"expires": "2020-01-01"}, "expires"),
        ({"tenants": ["hospital"]}, "tenants.0"),
        ({"tenants": "all"}, "tenants"),
        ({"auth_methods": ["none"]}, "auth_methods.0"),
        ({"auth_methods": []}, "auth_methods"),
        ({"client_id": "app"}, "client_id"),
    ],
)
async def test_a_wrong_field_is_named(operations: Operations, by: By, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as error:
        await make(operations, by, **fields)
    problems = error.value.problems if isinstance(error.value, InvalidFields) else [(error.value.field, "")]
    assert field in [name for name, _ in problems]
    assert (await operations.trail.page(1)).items == ()


async def test_a_private_key_is_refused_and_not_repeated(operations: Operations, by: By) -> None:
    private = ECAlgorithm.to_jwk(generate_private_key(SECP256R1()), as_dict=True)
    assert jwt.PyJWK(private)
    with pytest.raises(Invalid, match="private key") as error:
        await make(operations, by, jwks={"keys": [private]})
    assert private["d"] not in error.value.public


async def test_an_update_checks_keys_as_well(operations: Operations, by: By) -> None:
    await make(operations, by)
    with pytest.raises(Invalid):
        await operations.clients.update(by, GUID, {"jwks": {"keys": []}})
    with pytest.raises(InvalidFields):
        await operations.clients.update(by, GUID, {"name": None})
    made = await operations.clients.update(by, GUID, {"jwks": {"keys": [public_key()]}})
    assert made.stored.value.jwks is not None
    made = await operations.clients.update(by, GUID, {"jwks": None})
    assert made.stored.value.jwks is None
