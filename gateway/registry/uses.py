import asyncio
import logging
from collections import OrderedDict
from datetime import datetime, timedelta

from azure.data.tables import UpdateMode

from gateway.errors import StorageUnavailable
from gateway.registry.rows import encode_key
from gateway.registry.storage import Storage, storage_errors
from gateway.registry.store import USES

_log = logging.getLogger(__name__)

PRECISION = timedelta(hours=1)
"""How exact `last used` is: a credential in constant use is written this often by each instance."""

_REMEMBERED = 20_000


class Uses:
    """When each credential of a client was last used, in rows of their own: a use must not change the client's ETag.

    A use that cannot be written is lost and logged: drawing a token never waits for it, nor fails with it.
    """

    def __init__(self, storage: Storage) -> None:
        self._table = storage.table(USES)
        self._noted: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._writes: set[asyncio.Task[None]] = set()

    def note(self, client_id: str, credential: str, at: datetime) -> None:
        """Remember a use. Costs no I/O unless the last one written is `PRECISION` old, and never waits."""
        key = (client_id, credential)
        last = self._noted.get(key)
        if last is not None and at - last < PRECISION:
            return
        self._noted[key] = at
        self._noted.move_to_end(key)
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        write = asyncio.get_running_loop().create_task(self._write(client_id, credential, at))
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)

    async def last(self, client_id: str) -> dict[str, datetime]:
        """The last use of each credential of a client, by its id. Raises StorageUnavailable."""
        where, values = "PartitionKey eq @client", {"client": encode_key(client_id)}
        async with storage_errors():
            rows = self._table.query_entities(where, parameters=values)
            return {row["credential"]: datetime.fromisoformat(row["used"]) async for row in rows}

    async def settle(self) -> None:
        """Return when every use noted so far is written or lost."""
        await asyncio.gather(*self._writes)

    async def _write(self, client_id: str, credential: str, at: datetime) -> None:
        row = {
            "PartitionKey": encode_key(client_id),
            "RowKey": encode_key(credential),
            "credential": credential,
            "used": at.isoformat(),
        }
        try:
            async with storage_errors():
                await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)
        except StorageUnavailable as error:
            self._noted.pop((client_id, credential), None)
            _log.warning("the use of a credential was not recorded: %s", error.detail)
