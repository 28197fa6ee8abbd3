import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from gateway.errors import Busy, StorageUnavailable
from gateway.registry.storage import Storage
from gateway.registry.store import TURNS
from gateway.registry.turns import LEASE, Turns
from gateway.settings import Settings

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


async def test_a_turn_is_one_holders_and_each_thing_has_its_own(storage: Storage) -> None:
    mine, other = Turns(storage.table(TURNS)), Turns(storage.table(TURNS))
    async with mine.turn("one-holder"), other.turn("another-thing"):
        with pytest.raises(Busy):
            async with other.turn("one-holder"):
                pytest.fail("it is taken")
    async with other.turn("one-holder"):
        pass


async def test_a_turn_is_given_back_after_a_failure(storage: Storage) -> None:
    turns = Turns(storage.table(TURNS))
    with pytest.raises(KeyError):
        async with turns.turn("failed"):
            raise KeyError
    async with turns.turn("failed"):
        pass


async def test_a_turn_that_was_never_given_back_ends_by_itself(storage: Storage) -> None:
    clock = Clock()
    lost = Turns(storage.table(TURNS), clock).turn("lost")
    await lost.__aenter__()
    later = Turns(storage.table(TURNS), clock)
    clock.at = AT + LEASE - timedelta(seconds=1)
    with pytest.raises(Busy):
        async with later.turn("lost"):
            pytest.fail("it is taken")
    clock.at = AT + LEASE
    async with later.turn("lost"):
        # Whoever comes back late does not take the turn from its new holder.
        await lost.__aexit__(None, None, None)
        with pytest.raises(Busy):
            async with later.turn("lost"):
                pytest.fail("it is taken")


async def test_a_table_that_is_missing_is_made(storage: Storage) -> None:
    table = storage.table("turnsmissing")
    try:
        async with Turns(table).turn("first"):
            pass
    finally:
        await table.delete_table()


async def test_what_was_done_stands_when_storage_is_gone_before_the_turn_is_given_back(
    storage: Storage, settings: Settings, tables_connection: str
) -> None:
    async with cuttable(tables_connection) as (connection, cut):
        behind = Storage.open(settings.model_copy(update={"tables_connection": SecretStr(connection)}))
        try:
            async with Turns(behind.table(TURNS)).turn("cut off"):
                await cut()
        finally:
            await behind.close()
    with pytest.raises(Busy):
        async with Turns(storage.table(TURNS)).turn("cut off"):
            pytest.fail("it ends by itself only")


@asynccontextmanager
async def cuttable(connection: str) -> AsyncIterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """A connection string that leads to the same storage, until it is cut."""
    own = re.search(r"TableEndpoint=http://127\.0\.0\.1:(\d+)", connection)
    assert own is not None
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", int(own[1]))
        writers.extend((writer, back))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)

    async def cut() -> None:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()

    port = server.sockets[0].getsockname()[1]
    try:
        yield connection.replace(f":{own[1]}/", f":{port}/"), cut
    finally:
        await cut()


async def test_without_storage_there_is_no_turn() -> None:
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
        "TableEndpoint=http://127.0.0.1:1/devstoreaccount1;"
    )
    settings = {"public_base_url": "https://gateway.example", "tables_connection": connection}
    storage = Storage.open(Settings.model_validate(settings))
    try:
        with pytest.raises(StorageUnavailable):
            async with Turns(storage.table(TURNS)).turn("any"):
                pytest.fail("nothing was taken")
    finally:
        await storage.close()
