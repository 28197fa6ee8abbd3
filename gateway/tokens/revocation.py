"""Tokens that were revoked before their end (RFC 7009)."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from gateway.registry.cache import Cache, Source
from gateway.registry.storage import Storage, storage_errors
from gateway.registry.store import REVOCATIONS
from gateway.settings import Settings
from gateway.tokens.keys import SKEW, utc

_PARTITION = "revoked"
# Rows are named by the time of their revocation; other instances' clocks, and writes under way, may be late.
_OVERLAP = SKEW + timedelta(seconds=60)
_LONGEST_LIFE = timedelta(days=1)
_CLEANED_AT_ONCE = 100


class Revocations:
    """The revoked tokens that have not ended yet, known to each instance.

    One is refused at once by the instance that revoked it and within `CACHE_TTL_SECONDS` by the others: each reads the
    rows that are new, in the background. Whether a token is revoked is then a look into a dictionary.
    """

    def __init__(self, storage: Storage, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._table = storage.table(REVOCATIONS)
        self._clock = clock
        self._revoked: dict[str, float] = {}
        self._read_until = utc(0)
        self._reads: Cache[bool] = Cache(
            self._read_new,
            ttl=settings.cache_ttl_seconds,
            stale=settings.cache_stale_seconds,
            size=1,
            source=Source("revocations", "table"),
        )

    @property
    def cache(self) -> Cache[bool]:
        return self._reads

    async def revoked(self, jti: str) -> bool:
        """Raises StorageUnavailable when the revocations were never read, or too long ago."""
        if self._reads.fresh(_PARTITION) is None:
            await self._reads.get(_PARTITION)
        return jti in self._revoked

    def known(self, jti: str) -> bool:
        """Whether this instance knows already that it was revoked; reads nothing."""
        return jti in self._revoked

    async def revoke(self, jti: str, expires: float) -> None:
        """Refuse this token from now on. Raises StorageUnavailable when it is not recorded."""
        at = utc(self._clock())
        row = {
            "PartitionKey": _PARTITION,
            "RowKey": f"{_name(at)}-{jti}",
            "jti": jti,
            # Seconds since 1970; a string, because the service's integers end in 2038.
            "expires": str(int(expires)),
        }
        async with storage_errors():
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)
        self._revoked[jti] = expires

    async def _read_new(self, _key: str) -> bool:
        at = utc(self._clock())
        since = max(self._read_until - _OVERLAP, at - _LONGEST_LIFE)
        where = "PartitionKey eq @partition and RowKey ge @since"
        async with storage_errors():
            rows = self._table.query_entities(where, parameters={"partition": _PARTITION, "since": _name(since)})
            async for row in rows:
                self._revoked[row["jti"]] = float(row["expires"])
            await self._clean(at)
        self._read_until = at
        self._revoked = {jti: expires for jti, expires in self._revoked.items() if expires > at.timestamp()}
        return True

    async def _clean(self, at: datetime) -> None:
        """Delete some rows of tokens that ended; each read takes a few, so that none has to take many."""
        where = "PartitionKey eq @partition and RowKey lt @before"
        before = _name(at - _LONGEST_LIFE - _OVERLAP)
        rows = self._table.query_entities(
            where, parameters={"partition": _PARTITION, "before": before}, results_per_page=_CLEANED_AT_ONCE
        )
        async for page in rows.by_page():
            async for row in page:
                try:
                    await self._table.delete_entity(row["PartitionKey"], row["RowKey"])
                except ResourceNotFoundError:
                    continue  # another instance cleans as well
            break


def _name(at: datetime) -> str:
    """Sorts by time: Table Storage keeps rows in the order of their keys."""
    return f"{int(at.timestamp() * 1000):015d}"
