import asyncio
import logging
from datetime import datetime

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from gateway.errors import StorageUnavailable
from gateway.registry.storage import Storage, storage_errors
from gateway.registry.store import ASSERTIONS

_HOUR = 3600

_log = logging.getLogger(__name__)


class UsedAssertions:
    """The assertions that were used and have not ended yet, one row each, shared by all instances.

    A row's partition is the hour in which the assertion ends, so that whole partitions are cleared at a time: by each
    instance, in the background, with the first assertion after an hour's turn.
    """

    def __init__(self, storage: Storage) -> None:
        self._table = storage.table(ASSERTIONS)
        self._cleared = 0
        self._clearing: asyncio.Task[None] | None = None

    async def add(self, digest: str, expires: float, at: datetime) -> bool:
        """Remember an assertion; False when it was there already. Raises StorageUnavailable."""
        self._clear_soon(int(at.timestamp()) // _HOUR)
        row = {"PartitionKey": f"{int(expires) // _HOUR:08d}", "RowKey": digest}
        async with storage_errors():
            try:
                await self._table.create_entity(row)
            except ResourceExistsError:
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
            _log.warning("used assertions were not cleared: %s", error.detail)
