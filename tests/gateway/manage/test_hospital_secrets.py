from pathlib import Path
from unittest.mock import AsyncMock, create_autospec

import pytest

from gateway.audit import AuditTrail, By
from gateway.errors import Invalid, StorageUnavailable
from gateway.manage.hospital_secrets import HospitalSecrets
from gateway.manage.operations import Operations
from gateway.secrets import FileSecretStore, SecretsReadOnly, SecretsUnavailable

BY = By("kim", "portal", "c0ffee")
TENANT = "11111111-2222-4333-8444-555555555555"


def store_that_raises(error: Exception) -> FileSecretStore:
    store: FileSecretStore = create_autospec(FileSecretStore, instance=True)
    store.set = AsyncMock(side_effect=error)  # type: ignore[method-assign]  # what the test is about
    return store


@pytest.fixture
def trail(operations: Operations) -> AuditTrail:
    return operations.trail


async def test_every_value_gets_a_name_of_its_own(trail: AuditTrail, tmp_path: Path) -> None:
    store = FileSecretStore(tmp_path)
    kept = HospitalSecrets(store, trail)
    first = await kept.keep(BY, TENANT, "secret", "one")
    second = await kept.keep(BY, TENANT, "secret", "two")
    assert first.startswith(f"tenant-{TENANT}-secret-")
    assert (await store.get(first), await store.get(second)) == ("one", "two")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("secret", "two\nlines"),
        ("secret", "x" * 25_001),
        ("key", "not a key at all"),
        ("certificate", "-----BEGIN CERTIFICATE-----\nno key\n-----END CERTIFICATE-----"),
    ],
)
async def test_what_cannot_work_is_refused_unnamed(trail: AuditTrail, field: str, value: str) -> None:
    store = store_that_raises(AssertionError("nothing may be stored"))
    with pytest.raises(Invalid) as error:
        await HospitalSecrets(store, trail).keep(BY, TENANT, field, value)
    assert error.value.field == f"auth.{field}"
    assert value not in error.value.public
    assert (await trail.page(10)).items == ()


async def test_a_store_that_may_only_be_read_asks_for_the_name(trail: AuditTrail) -> None:
    store = store_that_raises(SecretsReadOnly("vault: 403"))
    with pytest.raises(Invalid, match="Put the value there and enter its name") as error:
        await HospitalSecrets(store, trail).keep(BY, TENANT, "secret", "value")
    assert error.value.field == "auth.secret"
    assert [entry.outcome for entry in (await trail.page(10)).items] == ["failed", "intended"]


async def test_a_store_that_is_away_is_storage_trouble(trail: AuditTrail) -> None:
    store = store_that_raises(SecretsUnavailable("vault: timeout"))
    with pytest.raises(StorageUnavailable):
        await HospitalSecrets(store, trail).keep(BY, TENANT, "secret", "value")
