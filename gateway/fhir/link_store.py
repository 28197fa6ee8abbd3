"""Sealed page links that are too long for an address, in Table Storage."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError

from gateway.registry.storage import Storage, create_row, storage_errors

TABLE = "pages"
_KEY = re.compile(r"(\d{8})([0-9a-f]{32})")
# A link lives an hour, so the partitions of the day before yesterday hold nothing of use.
_KEPT_DAYS = 2
_PURGED_AT_ONCE = 1000


class LinkStore:
    """One partition a day; what is old is removed by whoever writes first on a new day.

    Every method raises StorageUnavailable when Table Storage does not answer.
    """

    def __init__(self, storage: Storage) -> None:
        self._table = storage.table(TABLE)
        self._purged = ""

    async def put(self, value: str, at: float) -> str:
        """Keep a text of at most 30,000 characters; returns its key, a random one."""
        day, row = f"{datetime.fromtimestamp(at, UTC):%Y%m%d}", uuid4().hex
        entity = {"PartitionKey": day, "RowKey": row, "link": value}
        async with storage_errors():
            await create_row(self._table, entity)
            if self._purged != day:
                self._purged = day
                await self._purge(datetime.fromtimestamp(at, UTC))
        return day + row

    async def get(self, key: str) -> str | None:
        """The text, or None when there is none (any more)."""
        match = _KEY.fullmatch(key)
        if match is None:
            return None
        async with storage_errors():
            try:
                return str((await self._table.get_entity(match[1], match[2]))["link"])
            except ResourceNotFoundError:
                return None

    async def _purge(self, now: datetime) -> None:
        oldest = f"{now - timedelta(days=_KEPT_DAYS):%Y%m%d}"
        removed = 0
        async for row in self._table.query_entities(
            "PartitionKey le @day", parameters={"day": oldest}, select=["PartitionKey", "RowKey"]
        ):
            await self._table.delete_entity(row)
            removed += 1
            if removed >= _PURGED_AT_ONCE:
                break
