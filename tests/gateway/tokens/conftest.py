from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.gateway.tokens.harness import Gateway, open_gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(azurite_accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """One app for the tests of a module that change nothing of what the others need."""
    async with open_gateway(next(azurite_accounts), tmp_path_factory.mktemp("keys")) as opened:
        yield opened


@pytest.fixture
async def own_gateway(tables_connection: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    """An app of this test's own, which sees changes within a second."""
    async with open_gateway(tables_connection, tmp_path / "keys", CACHE_TTL_SECONDS="1") as opened:
        yield opened
