import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableErrorCode

from gateway.audit.entries import (
    FIRST_PREVIOUS,
    HEAD,
    PARTITION,
    By,
    Change,
    Document,
    Entry,
    Outcome,
    head_seal,
    read_entry,
    row_key,
    sealed,
    timestamp,
)
from gateway.errors import RegistryError, StorageUnavailable
from gateway.registry.rows import encode_key
from gateway.registry.secret_values import Pepper
from gateway.registry.storage import Storage, storage_errors
from gateway.registry.store import AUDIT
from gateway.registry.table import Page, read_page

_log = logging.getLogger(__name__)

# The service takes 100 operations and 4 MiB in one transaction; one operation is the head's.
_GROUP = 99
_GROUP_CHARACTERS = 600_000
_TRIES = 30
_CONFLICTS = {
    TableErrorCode.ENTITY_ALREADY_EXISTS,
    TableErrorCode.RESOURCE_NOT_FOUND,
    TableErrorCode.UPDATE_CONDITION_NOT_SATISFIED,
    "ConditionNotMet",
}


@dataclass(frozen=True, slots=True)
class _Draft:
    by: By
    change: Change
    outcome: Outcome
    of: int | None
    written: "asyncio.Future[Entry]"


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends."""

    sequence: int = 0
    hash: str = FIRST_PREVIOUS
    etag: str = ""
    seal: str = ""
    key: str = ""


class AuditTrail:
    """Appends to the chain and reads it. Rows that wait at the same time are written in one transaction together with
    the chain's head, whose ETag lets only one instance append at a time.

    Every method raises StorageUnavailable when Table Storage does not answer.
    """

    def __init__(self, storage: Storage, pepper: Callable[[], Awaitable[Pepper]]) -> None:
        self._table = storage.table(AUDIT)
        self._pepper = pepper
        self._waiting: list[_Draft] = []
        self._writer: asyncio.Task[None] | None = None
        self._head: Head | None = None

    @asynccontextmanager
    async def recorded(self, by: By, change: Change) -> AsyncIterator[Entry]:
        """Write the change's row, then let the block carry it out. When the block raises, a second row says that the
        change failed, or, when storage did not answer, that its outcome is uncertain.
        """
        entry = await self.append(by, change)
        try:
            yield entry
        except RegistryError:
            await self._tell(by, entry, "failed")
            raise
        except Exception:
            await self._tell(by, entry, "uncertain")
            raise

    async def append(self, by: By, change: Change, *, outcome: Outcome = "intended", of: int | None = None) -> Entry:
        """Return once the row is in the chain. Raises Invalid when the change is too large for a row."""
        draft = _Draft(by, change, outcome, of, asyncio.get_running_loop().create_future())
        self._waiting.append(draft)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await draft.written

    async def page(
        self,
        size: int,
        continuation: str = "",
        *,
        tenant_id: str = "",
        client_id: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page[Entry]:
        """At most `size` entries of the time from `since` to before `until`, the newest first. A page may be short and
        still have a next one.
        """
        where = [f"PartitionKey eq '{PARTITION}'", f"RowKey lt '{HEAD}'"]
        where += [f"tenant_id eq '{encode_key(tenant_id)}'"] if tenant_id else []
        where += [f"client_id eq '{encode_key(client_id)}'"] if client_id else []
        where += [f"at ge '{timestamp(since)}'"] if since else []
        where += [f"at lt '{timestamp(until)}'"] if until else []
        return await read_page(self._table, size, continuation, read_entry, " and ".join(where))

    async def rows(self, newest: int, oldest: int = 1) -> AsyncIterator[Any]:
        """The rows of those sequences as they are stored, the newest first; keys that are none are among them."""
        end = HEAD if oldest <= 1 else row_key(oldest - 1)
        where = f"PartitionKey eq '{PARTITION}' and RowKey ge '{row_key(newest)}' and RowKey lt '{end}'"
        async with storage_errors():
            async for row in self._table.query_entities(where, results_per_page=1000):
                yield row

    async def head(self) -> Head:
        """Where the chain ends now."""
        async with storage_errors():
            try:
                row = await self._table.get_entity(PARTITION, HEAD)
            except ResourceNotFoundError:
                return Head()
        return Head(int(row["sequence"]), row["hash"], str(row.metadata["etag"]), row["seal"], row["key"])

    async def _tell(self, by: By, entry: Entry, outcome: Outcome) -> None:
        told = replace(entry.change, before=None, after=None, state="")
        try:
            await self.append(by, told, outcome=outcome, of=entry.sequence)
        except StorageUnavailable:
            # What made the change fail keeps this row out as well. `audit verify` compares the registry itself.
            _log.error("the outcome of audit entry %d could not be recorded", entry.sequence)

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = _group(self._waiting)
            try:
                entries = await self._commit(group)
            except Exception as error:  # noqa: BLE001  # whoever waits must hear of it, whatever it is
                _answer(group, error)
            else:
                for draft, entry in zip(group, entries, strict=True):
                    if not draft.written.done():
                        draft.written.set_result(entry)
                    _announce(entry)

    async def _commit(self, group: list[_Draft]) -> list[Entry]:
        pepper = await self._pepper()
        for attempt in range(_TRIES):
            head = self._head or await self.head()
            entries, rows = _chained(group, head, pepper)
            last = entries[-1]
            try:
                async with storage_errors():
                    answer = await self._submit(head, last, rows, pepper)
            except StorageUnavailable:
                self._head = None
                raise
            if answer is not None:
                self._head = Head(last.sequence, last.hash, answer)
                return entries
            self._head = None
            if await self._is_ours(last):
                return entries
            await asyncio.sleep(random.uniform(0, 0.02 * (attempt + 1)))  # noqa: S311  # spreads instances, guards nothing
        raise StorageUnavailable("the audit trail is being written by too many others")

    async def _submit(self, head: Head, last: Entry, rows: list[Document], pepper: Pepper) -> str | None:
        """The head's new ETag; None when somebody else moved the head first."""
        pointer = {
            "PartitionKey": PARTITION,
            "RowKey": HEAD,
            "sequence": last.sequence,
            "hash": last.hash,
            "key": last.key,
            "seal": head_seal(last.sequence, last.hash, pepper, last.key),
        }
        condition = {"mode": "replace", "etag": head.etag, "match_condition": MatchConditions.IfNotModified}
        move: Any = ("update", pointer, condition) if head.etag else ("create", pointer)
        try:
            answers = await self._table.submit_transaction([move, *(("create", row) for row in rows)])
        except HttpResponseError as error:
            if getattr(error, "error_code", None) in _CONFLICTS:
                return None
            raise
        return str(answers[0]["etag"])

    async def _is_ours(self, last: Entry) -> bool:
        """Whether a transaction that was answered with a conflict had arrived after all, and the SDK sent it twice."""
        async with storage_errors():
            try:
                row = await self._table.get_entity(PARTITION, row_key(last.sequence), select="hash")
            except ResourceNotFoundError:
                return False
        return bool(row["hash"] == last.hash)


def _group(waiting: list[_Draft]) -> tuple[list[_Draft], list[_Draft]]:
    size = count = 0
    for draft in waiting[:_GROUP]:
        size += 1000 + len(str(draft.change.before)) + len(str(draft.change.after))
        if count and size > _GROUP_CHARACTERS:
            break
        count += 1
    return waiting[:count], waiting[count:]


def _chained(group: list[_Draft], head: Head, pepper: Pepper) -> tuple[list[Entry], list[Document]]:
    entries: list[Entry] = []
    rows: list[Document] = []
    sequence, previous = head.sequence, head.hash
    at = datetime.now(UTC)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    for draft in group:
        sequence += 1
        entry = Entry(
            sequence, at, draft.by, draft.change, draft.outcome, draft.of, key=pepper.newest, previous=previous
        )
        row = sealed(entry, pepper)
        previous = row["hash"]
        rows.append(row)
        entries.append(replace(entry, hash=previous))
    return entries, rows


def _answer(group: list[_Draft], error: Exception) -> None:
    for draft in group:
        if not draft.written.done():
            draft.written.set_exception(error)


def _announce(entry: Entry) -> None:
    """A copy of the entry's place in the chain where nobody who can write to Table Storage can change it."""
    _log.info(
        "registry change %d %s",
        entry.sequence,
        entry.change.action,
        extra={
            "event": "registry-change",
            "sequence": entry.sequence,
            "hash": entry.hash,
            "action": entry.change.action,
            "outcome": entry.outcome,
            "correlation_id": entry.by.correlation_id,
        },
    )
