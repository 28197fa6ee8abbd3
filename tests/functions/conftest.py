from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.functions.harness import Gateway, Recorder, open_gateway, recorder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(azurite_accounts: Iterator[str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """One app for the tests of a module; each registers tenants of its own."""
    async with open_gateway(next(azurite_accounts), tmp_path_factory.mktemp("keys"), MAX_BATCH_ENTRIES="10") as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[Recorder]:
    """A FHIR server of this test's own."""
    async with recorder() as running:
        yield running
