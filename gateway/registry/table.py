import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from pydantic import BaseModel

from gateway.errors import Duplicate, Invalid, Stale, Unknown
from gateway.registry.rows import Document, Kind, encode_key
from gateway.registry.storage import storage_errors

LARGEST_PAGE = 1000
"""Table Storage returns at most this many rows at once."""


@dataclass(frozen=True, slots=True)
class Stored[T]:
    """A row as it was read, with the ETag that an update must name."""

    value: T
    etag: str


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Some rows of a list, and the opaque continuation that fetches the next ones; empty: there are none."""

    items: tuple[T, ...]
    continuation: str = ""


class Table[M: BaseModel]:
    """Rows of one kind, one partition each, so that every read by key is a point read.

    Every method raises StorageUnavailable when Table Storage does not answer, or a row cannot be understood.
    """

    def __init__(self, client: TableClient, kind: Kind[M]) -> None:
        self._client = client
        self._kind = kind

    async def find(self, key: str) -> Stored[M] | None:
        async with storage_errors():
            try:
                row = await self._client.get_entity(encode_key(key), self._kind.name)
            except ResourceNotFoundError:
                return None
        return self._stored(row)

    async def add(self, value: M) -> Stored[M]:
        """Raises Duplicate when a row of that key exists, Invalid when it is too large."""
        row = self._kind.row(value)
        async with storage_errors():
            try:
                answer = await self._client.create_entity(row)
            except ResourceExistsError:
                raise Duplicate(f"A {self._kind.name} of this id exists already.", field=self._kind.key) from None
        return Stored(value, str(answer["etag"]))

    async def replace(self, value: M, etag: str) -> Stored[M]:
        """Raises Stale when the row is no longer the one that carried `etag`, Unknown when it is gone, Invalid when it
        is too large.
        """
        row = self._kind.row(value)
        async with storage_errors():
            try:
                answer = await self._client.update_entity(
                    row, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except ResourceModifiedError:
                raise self._stale() from None
            except ResourceNotFoundError:
                raise self.unknown() from None
        return Stored(value, str(answer["etag"]))

    async def remove(self, key: str, etag: str | None = None) -> None:
        """Raises Unknown when there is none, Stale when `etag` is given and not the row's."""
        row = {"PartitionKey": encode_key(key), "RowKey": self._kind.name}
        async with storage_errors():
            try:
                # Read first: the service says nothing when a row to delete is not there, unless an ETag was given.
                found = await self._client.get_entity(row["PartitionKey"], row["RowKey"], select="RowKey")
                await self._client.delete_entity(
                    row, etag=etag or found.metadata["etag"], match_condition=MatchConditions.IfNotModified
                )
            except ResourceModifiedError:
                raise self._stale() from None
            except ResourceNotFoundError:
                raise self.unknown() from None

    async def page(self, size: int, continuation: str = "") -> Page[Stored[M]]:
        """At most `size` rows, in the order of their keys. Raises Invalid for a continuation that is none."""
        return await read_page(self._client, size, continuation, self._stored)

    async def all(self) -> AsyncIterator[Stored[M]]:
        """Every row, in the order of their keys, a page at a time."""
        async with storage_errors():
            async for row in self._client.list_entities(results_per_page=LARGEST_PAGE):
                yield self._stored(row)

    async def documents(self) -> AsyncIterator[tuple[str, Document]]:
        """Key and document of every row as it is stored, whatever its schema."""
        async with storage_errors():
            async for row in self._client.list_entities(results_per_page=LARGEST_PAGE):
                document = self._kind.stored(row)
                yield str(document.get(self._kind.key)), document

    def unknown(self) -> Unknown:
        return Unknown(f"There is no {self._kind.name} of that id.", field=self._kind.key)

    def _stale(self) -> Stale:
        return Stale(f"The {self._kind.name} was changed by somebody else in the meantime; read it again.")

    def _stored(self, row: Any) -> Stored[M]:  # noqa: ANN401  # the SDK's TableEntity
        return Stored(self._kind.read(row), row.metadata["etag"])


async def read_page[T](
    client: TableClient, size: int, continuation: str, read: Callable[[Any], T], where: str = ""
) -> Page[T]:
    """At most `size` rows that meet the filter `where`, as `read` makes them.

    A page may hold fewer, even none, and still have a next one: so the service filters.
    """
    token = _decode(continuation) if continuation else None
    options: dict[str, Any] = {"results_per_page": min(size, LARGEST_PAGE)}
    rows = client.query_entities(where, **options) if where else client.list_entities(**options)
    pages = rows.by_page(token)  # type: ignore[arg-type]  # the SDK declares a string and takes what it returned
    async with storage_errors():
        try:
            items = tuple([read(row) async for row in await anext(pages)])
        except StopAsyncIteration:
            items = ()
    following = getattr(pages, "continuation_token", None)
    return Page(items, _encode(following) if following else "")


def _encode(token: dict[str, str]) -> str:
    text = json.dumps([token["PartitionKey"], token["RowKey"]], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _decode(continuation: str) -> dict[str, str]:
    try:
        padded = continuation + "=" * (-len(continuation) % 4)
        partition, row_key = json.loads(urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, TypeError):
        partition = row_key = None
    if not isinstance(partition, str) or not isinstance(row_key, str):
        raise Invalid("The continuation is not one that a list returned; start the list anew.", field="continuation")
    return {"PartitionKey": partition, "RowKey": row_key}
