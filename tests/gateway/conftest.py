from collections.abc import AsyncIterator

import pytest

from gateway.registry import Registry
from gateway.settings import Settings


@pytest.fixture
async def registry(settings: Settings) -> AsyncIterator[Registry]:
    """An empty registry, in the storage that the folder's `settings` name."""
    registry = Registry.open(settings)
    await registry.ensure_tables()
    yield registry
    await registry.close()
