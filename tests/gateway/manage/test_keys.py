import asyncio

import pytest

from gateway.audit import By
from gateway.errors import Busy, Invalid, StorageUnavailable, Unknown
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


async def test_of_two_changes_at_once_the_second_is_told_and_none_is_lost(
    operations: Operations, by: By, secrets: FileSecretStore
) -> None:
    outcomes = await asyncio.gather(*(operations.keys.rotate(by) for _ in range(4)), return_exceptions=True)
    done = [one for one in outcomes if not isinstance(one, BaseException)]
    assert done
    assert all(isinstance(one, Busy) for one in outcomes if isinstance(one, BaseException))
    kept = {key.kid for key in KeyRing.parse(await secrets.get(SIGNING_KEYS)).keys}
    assert {view.kid for views in done for view in views} == kept
    # The turn was given back.
    assert len(await operations.keys.rotate(by)) == len(kept) + 1


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
