import pytest

from gateway.audit import By
from gateway.errors import Invalid, StorageUnavailable, Unknown
from gateway.manage.operations import Operations
from gateway.secrets import FileSecretStore
from gateway.tokens.keys import SIGNING_KEYS, KeyRing


async def test_a_new_key_waits_while_the_old_one_signs_on(operations: Operations, by: By) -> None:
    (first,) = await operations.keys.list()
    assert (first.state, first.retires) == ("signing", None)
    old, new = await operations.keys.rotate(by)
    assert (old.kid, old.state, new.state) == (first.kid, "signing", "waiting")
    assert old.retires is not None
    assert old.retires > new.activates
    assert (await operations.keys.list()) == (old, new)
    entry = (await operations.trail.page(1)).items[0]
    assert entry.change.before == {first.kid: "signing"}
    assert entry.change.after == {first.kid: "signing", new.kid: "waiting"}


async def test_the_only_key_that_signs_cannot_be_retired(operations: Operations, by: By) -> None:
    (first,) = await operations.keys.list()
    with pytest.raises(Invalid, match="rotate first"):
        await operations.keys.retire(by, first.kid)
    with pytest.raises(Unknown):
        await operations.keys.retire(by, "no-such-key")
    assert (await operations.trail.page(1)).items == ()


async def test_a_waiting_key_can_be_retired(operations: Operations, by: By) -> None:
    _, new = await operations.keys.rotate(by)
    states = {view.kid: view.state for view in await operations.keys.retire(by, new.kid)}
    assert states[new.kid] == "retired"
    assert (await operations.trail.page(1)).items[0].change.action == "key.retire"


async def test_no_private_key_is_shown_or_recorded(operations: Operations, by: By, secrets: FileSecretStore) -> None:
    shown = str(await operations.keys.rotate(by))
    told = str([entry.view() for entry in (await operations.trail.page(10)).items])
    for key in KeyRing.parse(await secrets.get(SIGNING_KEYS)).keys:
        private = str(key.private_key.private_numbers().private_value)
        assert private not in shown + told
    assert '"d"' not in shown + told
    assert "'d'" not in shown + told


async def test_a_secret_store_without_keys_is_told_apart_from_no_keys(
    operations: Operations, by: By, secrets: FileSecretStore
) -> None:
    (secrets._folder / SIGNING_KEYS).unlink()
    with pytest.raises(StorageUnavailable):
        await operations.keys.rotate(by)
