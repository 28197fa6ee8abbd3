"""The connection to Table Storage, and its errors in the service's own terms."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables.aio import TableClient, TableServiceClient

from gateway.errors import StorageUnavailable
from gateway.settings import Settings


class Storage:
    """One Table Storage account: Azurite by connection string, Azure by the identity of the app or the developer."""

    def __init__(self, service: TableServiceClient, close: Callable[[], Awaitable[None]] | None = None) -> None:
        self._service = service
        self._close = close

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect as the settings say; nothing is contacted yet. Raises ValueError for a wrong connection string."""
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

    def table(self, name: str) -> TableClient:
        return self._service.get_table_client(name)

    async def ensure(self, names: Iterable[str]) -> None:
        """Create the tables that are not there yet. Raises StorageUnavailable."""
        async with storage_errors():
            for name in names:
                await self._service.create_table_if_not_exists(name)

    async def close(self) -> None:
        await self._service.close()
        if self._close is not None:
            await self._close()


async def create_row(table: TableClient, row: Mapping[str, str]) -> Mapping[str, Any]:
    """Create a row, in a table that is made where an older version left none; what the SDK returns (`etag`), and
    raises.
    """
    try:
        return await table.create_entity(row)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another instance makes it as well
            await table.create_table()
        return await table.create_entity(row)


@asynccontextmanager
async def storage_errors() -> AsyncIterator[None]:
    """Raise StorageUnavailable for whatever the SDK raises and the block has not dealt with."""
    try:
        yield
    except HttpResponseError as error:
        raise StorageUnavailable(f"table storage answered {error.status_code} {error.error}") from error
    except (AzureError, TimeoutError) as error:
        raise StorageUnavailable(f"table storage: {type(error).__name__}") from error
