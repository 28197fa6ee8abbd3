from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from gateway.errors import Busy, StorageUnavailable
from gateway.registry.models import now
from gateway.registry.storage import create_row, storage_errors

LEASE = timedelta(minutes=5)
_PARTITION = "turn"


class Turns:
    """One at a time, over all instances and command lines: for what is read, changed and written back where the store
    itself compares no versions, as Key Vault does not. A row stands while somebody has the turn.
    """

    def __init__(self, table: TableClient, clock: Callable[[], datetime] = now) -> None:
        self._table = table
        self._clock = clock

    @asynccontextmanager
    async def turn(self, what: str) -> AsyncIterator[None]:
        """Nobody else has this turn until the block ends; one that was never given back ends after LEASE.

        Raises Busy when somebody has it, StorageUnavailable.
        """
        etag = await self._take(what)
        try:
            yield
        finally:
            # Not given back, it ends by itself; what was done in it is done either way.
            with suppress(StorageUnavailable):
                await self._give_back(what, etag)

    async def _take(self, what: str) -> str:
        at = self._clock()
        row = {"PartitionKey": _PARTITION, "RowKey": what, "until": (at + LEASE).isoformat()}
        async with storage_errors():
            try:
                return str((await create_row(self._table, row))["etag"])
            except ResourceExistsError:
                pass
            try:
                held = await self._table.get_entity(_PARTITION, what)
                if datetime.fromisoformat(held["until"]) > at:
                    raise _busy()
                answer = await self._table.update_entity(
                    row,
                    mode=UpdateMode.REPLACE,
                    etag=held.metadata["etag"],
                    match_condition=MatchConditions.IfNotModified,
                )
            except (ResourceModifiedError, ResourceNotFoundError):
                raise _busy() from None  # somebody else was as quick
        return str(answer["etag"])

    async def _give_back(self, what: str, etag: str) -> None:
        row = {"PartitionKey": _PARTITION, "RowKey": what}
        async with storage_errors():
            await self._table.delete_entity(row, etag=etag, match_condition=MatchConditions.IfNotModified)


def _busy() -> Busy:
    return Busy("Somebody else is changing the same just now: wait a moment, look at it anew, then try again.")
