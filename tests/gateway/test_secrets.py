import asyncio
import stat
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError

from gateway.secrets import FileSecretStore, KeyVaultSecretStore, SecretMissing, SecretsReadOnly, open_secret_store
from gateway.settings import Settings


async def test_what_is_set_is_read_and_replaced(tmp_path: Path) -> None:
    store = FileSecretStore(tmp_path / "keys")
    await store.set("pepper", "first")
    await store.set("pepper", "second")
    assert await store.get("pepper") == "second"


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    store = FileSecretStore(tmp_path / "keys")
    await store.set("pepper", "value")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / "pepper").stat().st_mode) == 0o600


async def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="upstream-lakeside"):
        await FileSecretStore(tmp_path).get("upstream-lakeside")


@pytest.mark.parametrize("name", ["../pepper", "a/b", "", ".", "pepper.new", "x" * 128, "pepper\n"])
async def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "pepper").write_text("value")
    store = FileSecretStore(tmp_path / "keys")
    with pytest.raises(SecretMissing):
        await store.get(name)
    with pytest.raises(SecretMissing):
        await store.set(name, "value")


async def test_a_reader_never_meets_half_a_value(tmp_path: Path) -> None:
    store = FileSecretStore(tmp_path)
    values = {"a" * 100_000, "b" * 100_000}
    await store.set("pepper", "a" * 100_000)

    async def write() -> None:
        for _ in range(20):
            for value in values:
                await store.set("pepper", value)

    async def read() -> None:
        for _ in range(200):
            assert await store.get("pepper") in values

    await asyncio.gather(write(), read(), read())


async def test_a_vault_that_may_only_be_read_says_so() -> None:
    class Vault:
        async def set_secret(self, _name: str, _value: str) -> None:
            error = HttpResponseError("Caller is not authorized to perform action on resource.")
            error.status_code = 403
            raise error

    # Without its constructor, which builds clients of Azure's.
    store = object.__new__(KeyVaultSecretStore)
    store.__dict__["_client"] = Vault()
    with pytest.raises(SecretsReadOnly):
        await store.set("tenant-secret", "value")


def test_without_a_key_vault_files_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KEY_VAULT_URL", raising=False)
    settings = Settings(
        public_base_url="http://localhost:7071", tables_connection="UseDevelopmentStorage=true", local_keys_dir=tmp_path
    )
    assert isinstance(open_secret_store(settings), FileSecretStore)
