from collections.abc import AsyncIterator

import pytest

from gateway.registry import Registry
from gateway.settings import Settings


@pytest.fixture
def settings(tables_connection: str) -> Settings:
    return Settings.model_validate(
        {"public_base_url": "https://gateway.example", "tables_connection": tables_connection}
    )


@pytest.fixture
async def registry(settings: Settings) -> AsyncIterator[Registry]:
    registry = Registry.open(settings)
    await registry.ensure_tables()
    yield registry
    await registry.close()
