from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Self

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from gateway.errors import Duplicate, Stale, StorageUnavailable, Unknown
from gateway.registry.models import Client, ClientSecret, Stored, Tenant, now
from gateway.registry.rows import client_row, encode_key, from_row, tenant_row
from gateway.registry.secret_values import HINT_LENGTH, Pepper, new_secret_value
from gateway.settings import Settings

TENANTS = "tenants"
CLIENTS = "clients"
_TRIES = 5


class Registry:
    """The rows of tenants and clients, always the newest ones. One partition a tenant and a client: every read by id
    is a point read, and a client's secrets stand in its row, so that `revoke others` is one atomic write.

    Every method raises StorageUnavailable when Table Storage does not answer.
    """

    def __init__(self, service: TableServiceClient, *, close: Callable[[], Any] | None = None) -> None:
        self._service = service
        self._close = close
        self._tenants = service.get_table_client(TENANTS)
        self._clients = service.get_table_client(CLIENTS)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect as the settings say; nothing is contacted yet."""
        # Short: the hot path has a cache to fall back on, and an operator wants to know soon.
        options: dict[str, Any] = {
            "retry_total": 1,
            "retry_backoff_factor": 0.2,
            "connection_timeout": 2,
            "read_timeout": 5,
            "logging_enable": False,
        }
        if settings.tables_connection is not None:
            text = settings.tables_connection.get_secret_value()
            return cls(TableServiceClient.from_connection_string(text, **options))
        # Imported here: costs start-up time that only Azure needs to pay.
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415

        credential = DefaultAzureCredential(managed_identity_client_id=settings.tables_connection_client_id)
        service = TableServiceClient(str(settings.tables_connection_service_uri), credential=credential, **options)
        return cls(service, close=credential.close)

    async def close(self) -> None:
        await self._service.close()
        if self._close is not None:
            await self._close()

    async def ensure_tables(self) -> None:
        """Create the tables that are not there yet."""
        async with _storage_errors():
            for name in (TENANTS, CLIENTS):
                await self._service.create_table_if_not_exists(name)

    async def ping(self) -> None:
        """Return when Table Storage answers a point read."""
        await self.find_tenant("00000000-0000-0000-0000-000000000000")

    async def find_tenant(self, tenant_id: str) -> Stored[Tenant] | None:
        row = await _read(self._tenants, tenant_id, "tenant")
        return None if row is None else Stored(Tenant.model_validate(from_row(row)), row.metadata["etag"])

    async def add_tenant(self, tenant: Tenant) -> Stored[Tenant]:
        """Raises Duplicate when a tenant of that id exists."""
        etag = await _create(self._tenants, tenant_row(tenant), "tenant_id", "This tenant exists already.")
        return Stored(tenant, etag)

    async def update_tenant(self, tenant: Tenant, etag: str) -> Stored[Tenant]:
        """Raises Stale when the row is no longer the one that carried `etag`, Unknown when it is gone."""
        tenant = tenant.model_copy(update={"updated": now()})
        return Stored(tenant, await _replace(self._tenants, tenant_row(tenant), etag, "tenant"))

    async def remove_tenant(self, tenant_id: str, etag: str | None = None) -> None:
        """Raises Unknown when there is none, Stale when `etag` is given and not the row's."""
        await _delete(self._tenants, tenant_id, "tenant", etag)

    async def tenants(self) -> AsyncIterator[Stored[Tenant]]:
        """Every tenant, in the order of their ids."""
        async for row in _rows(self._tenants):
            yield Stored(Tenant.model_validate(from_row(row)), row.metadata["etag"])

    async def find_client(self, client_id: str) -> Stored[Client] | None:
        row = await _read(self._clients, client_id, "client")
        return None if row is None else Stored(Client.model_validate(from_row(row)), row.metadata["etag"])

    async def add_client(self, client: Client) -> Stored[Client]:
        """Raises Duplicate when a client of that id exists."""
        etag = await _create(self._clients, client_row(client), "client_id", "This client exists already.")
        return Stored(client, etag)

    async def update_client(self, client: Client, etag: str) -> Stored[Client]:
        """Raises Stale when the row is no longer the one that carried `etag`, Unknown when it is gone."""
        client = client.model_copy(update={"updated": now()})
        return Stored(client, await _replace(self._clients, client_row(client), etag, "client"))

    async def remove_client(self, client_id: str, etag: str | None = None) -> None:
        """Raises Unknown when there is none, Stale when `etag` is given and not the row's."""
        await _delete(self._clients, client_id, "client", etag)

    async def clients(self) -> AsyncIterator[Stored[Client]]:
        """Every client, in the order of their ids."""
        async for row in _rows(self._clients):
            yield Stored(Client.model_validate(from_row(row)), row.metadata["etag"])

    async def add_secret(
        self,
        client_id: str,
        pepper: Pepper,
        *,
        expires: datetime,
        description: str = "",
        revoke_others: bool = False,
    ) -> tuple[ClientSecret, str]:
        """Give a client one more secret; returns its row and its value, which is stored nowhere.

        With `revoke_others` the same write revokes every other secret. Raises Unknown, Invalid.
        """
        value = new_secret_value()
        secret = ClientSecret(
            description=description, hint=value[:HINT_LENGTH], hash=pepper.hash(value), expires=expires
        )

        def change(client: Client) -> Client:
            kept = client.secrets
            if revoke_others:
                kept = tuple(old.model_copy(update={"revoked": old.revoked or now()}) for old in kept)
            return client.model_copy(update={"secrets": (*kept, secret)})

        await self._change_client(client_id, change)
        return secret, value

    async def revoke_secret(self, client_id: str, secret_id: str) -> ClientSecret:
        """Raises Unknown when the client or the secret is not there; revoking twice is harmless."""

        def change(client: Client) -> Client:
            if client.secret(secret_id) is None:
                raise Unknown("This client has no secret of that id.", field="secret_id")
            revoked = tuple(
                secret.model_copy(update={"revoked": secret.revoked or now()})
                if secret.secret_id == secret_id
                else secret
                for secret in client.secrets
            )
            return client.model_copy(update={"secrets": revoked})

        changed = await self._change_client(client_id, change)
        secret = changed.value.secret(secret_id)
        assert secret is not None  # noqa: S101  # `change` has just found it
        return secret

    async def _change_client(self, client_id: str, change: Callable[[Client], Client]) -> Stored[Client]:
        for _ in range(_TRIES):
            found = await self.find_client(client_id)
            if found is None:
                raise Unknown("There is no client of that id.", field="client_id")
            try:
                return await self.update_client(change(found.value), found.etag)
            except Stale:
                continue  # somebody else changed the client in between: take theirs and try again
        raise Stale("The client is being changed by others; try again.")


@asynccontextmanager
async def _storage_errors() -> AsyncIterator[None]:
    try:
        yield
    except HttpResponseError as error:
        raise StorageUnavailable(f"table storage answered {error.status_code} {error.error}") from error
    except AzureError as error:
        raise StorageUnavailable(f"table storage: {type(error).__name__}") from error


async def _read(table: TableClient, partition: str, row_key: str) -> Any:  # noqa: ANN401  # the SDK's TableEntity
    async with _storage_errors():
        try:
            return await table.get_entity(encode_key(partition), encode_key(row_key))
        except ResourceNotFoundError:
            return None


async def _create(table: TableClient, row: Mapping[str, Any], field: str, exists: str) -> str:
    async with _storage_errors():
        try:
            answer = await table.create_entity(row)
        except ResourceExistsError:
            raise Duplicate(exists, field=field) from None
    return str(answer["etag"])


async def _replace(table: TableClient, row: Mapping[str, Any], etag: str, what: str) -> str:
    async with _storage_errors():
        try:
            answer = await table.update_entity(
                row, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        except ResourceModifiedError:
            raise Stale(f"The {what} was changed by somebody else in the meantime; read it again.") from None
        except ResourceNotFoundError:
            raise Unknown(f"There is no {what} of that id.") from None
    return str(answer["etag"])


async def _delete(table: TableClient, partition: str, row_key: str, etag: str | None) -> None:
    async with _storage_errors():
        try:
            row = await table.get_entity(encode_key(partition), encode_key(row_key))
            await table.delete_entity(
                row, etag=etag or row.metadata["etag"], match_condition=MatchConditions.IfNotModified
            )
        except ResourceModifiedError:
            raise Stale(f"The {row_key} was changed by somebody else in the meantime; read it again.") from None
        except ResourceNotFoundError:
            raise Unknown(f"There is no {row_key} of that id.") from None


async def _rows(table: TableClient) -> AsyncIterator[Any]:
    async with _storage_errors():
        async for row in table.list_entities():
            yield row
