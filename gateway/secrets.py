"""Where secrets live: Key Vault in Azure, files of the developer locally. Table Storage only holds their names."""

import asyncio
import re
from pathlib import Path
from typing import Protocol

from gateway.settings import Settings

_FORBIDDEN = 403
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")


class SecretMissing(Exception):
    """No secret of that name; the message names it (a name is not a secret)."""


class SecretsUnavailable(Exception):
    """The store did not answer."""


class SecretsReadOnly(SecretsUnavailable):
    """The store is there, but this identity may only read it: how a deployment is set up."""


class SecretStore(Protocol):
    async def get(self, name: str) -> str:
        """The current value of the secret `name`. Raises SecretMissing or SecretsUnavailable."""
        ...

    async def set(self, name: str, value: str) -> None:
        """Make `value` the current value of `name`. Raises SecretsUnavailable, SecretsReadOnly among them."""
        ...

    async def close(self) -> None: ...


class FileSecretStore:
    """One file a secret, readable by its owner only, for a developer's machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, name: str) -> str:
        return await asyncio.to_thread(self._read, name)

    async def set(self, name: str, value: str) -> None:
        await asyncio.to_thread(self._write, name, value)

    async def close(self) -> None:
        pass

    def _read(self, name: str) -> str:
        try:
            return self._path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise SecretMissing(f"no secret named {name}") from None
        except OSError as error:
            raise SecretsUnavailable(f"secret {name}: {error.strerror}") from error

    def _write(self, name: str, value: str) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(value, encoding="utf-8")
        fresh.replace(path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise SecretMissing(f"{name!r} is no name of a secret: letters, digits and hyphens only")
        return self._folder / name


class KeyVaultSecretStore:
    """Azure Key Vault through its async client and the identity of the app."""

    def __init__(self, vault_url: str, client_id: str | None) -> None:
        # Imported here: they cost start-up time that a local run and the unit tests need not pay.
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415
        from azure.keyvault.secrets.aio import SecretClient  # noqa: PLC0415

        self._credential = DefaultAzureCredential(managed_identity_client_id=client_id)
        self._client = SecretClient(vault_url, self._credential)

    async def get(self, name: str) -> str:
        from azure.core.exceptions import AzureError, ResourceNotFoundError  # noqa: PLC0415

        try:
            secret = await self._client.get_secret(name)
        except ResourceNotFoundError:
            raise SecretMissing(f"no secret named {name} in Key Vault") from None
        except AzureError as error:
            raise SecretsUnavailable(f"Key Vault: {type(error).__name__}") from error
        return secret.value or ""

    async def set(self, name: str, value: str) -> None:
        from azure.core.exceptions import AzureError, HttpResponseError  # noqa: PLC0415

        try:
            await self._client.set_secret(name, value)
        except HttpResponseError as error:
            if error.status_code == _FORBIDDEN:
                raise SecretsReadOnly("Key Vault: this identity may not set secrets") from error
            raise SecretsUnavailable(f"Key Vault: {type(error).__name__}") from error
        except AzureError as error:
            raise SecretsUnavailable(f"Key Vault: {type(error).__name__}") from error

    async def close(self) -> None:
        await self._client.close()
        await self._credential.close()


def open_secret_store(settings: Settings) -> SecretStore:
    """The store that the settings name; nothing is contacted yet."""
    if settings.key_vault_url:
        return KeyVaultSecretStore(str(settings.key_vault_url), settings.tables_connection_client_id)
    return FileSecretStore(settings.local_keys_dir)
