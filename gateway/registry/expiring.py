import asyncio
import logging
from datetime import datetime

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableErrorCode
from azure.data.tables.aio import TableClient

from gateway.errors import StorageUnavailable
from gateway.registry.storage import create_row, storage_errors

_HOUR = 3600

_log = logging.getLogger(__name__)


class ExpiringRows:
    """What must be remembered until a time, and no longer, by all instances: one row each, which holds its key only.

    A row's partition is the hour in which it ends, so that whole partitions are cleared at a time: by each instance,
    in the background, with the first row added after an hour's turn. Keys hold letters, digits, `-` and `_` only.
    Times are seconds since 1970.
    """

    def __init__(self, table: TableClient) -> None:
        self._table = table
        self._cleared = 0
        self._clearing: asyncio.Task[None] | None = None

    async def add(self, key: str, expires: float, at: datetime) -> bool:
        """Remember a key; False when it was there already. Makes the table where an older version left none.

        Raises StorageUnavailable.
        """
        self._clear_soon(int(at.timestamp()) // _HOUR)
        row = {"PartitionKey": _partition(expires), "RowKey": key}
        async with storage_errors():
            try:
                await create_row(self._table, row)
            except ResourceExistsError:
                return False
        return True

    async def holds(self, key: str, expires: float) -> bool:
        """Whether a key was added that ends at that time. Raises StorageUnavailable."""
        async with storage_errors():
            try:
                await self._table.get_entity(_partition(expires), key)
            except ResourceNotFoundError as error:
                if getattr(error, "error_code", None) == TableErrorCode.TABLE_NOT_FOUND:
                    raise  # no answer is not a no
                return False
        return True

    async def settle(self) -> None:
        """Return when what runs in the background is done."""
        if self._clearing is not None:
            await self._clearing

    def _clear_soon(self, hour: int) -> None:
        if hour > self._cleared:
            self._cleared = hour
            self._clearing = asyncio.get_running_loop().create_task(self._clear(hour))

    async def _clear(self, hour: int) -> None:
        try:
            async with storage_errors():
                # The hour before is kept too: another instance's clock may be a little behind.
                rows = self._table.query_entities("PartitionKey lt @hour", parameters={"hour": f"{hour - 1:08d}"})
                async for row in rows:
                    try:
                        await self._table.delete_entity(row["PartitionKey"], row["RowKey"])
                    except ResourceNotFoundError:
                        continue  # another instance clears as well
        except StorageUnavailable as error:
            _log.warning("ended rows of %s were not cleared: %s", self._table.table_name, error.detail)


def _partition(expires: float) -> str:
    return f"{int(expires) // _HOUR:08d}"
