from collections.abc import AsyncIterator

import pytest

from gateway.registry.storage import Storage
from gateway.settings import Settings


@pytest.fixture
def settings(tables_connection: str) -> Settings:
    return Settings.model_validate(
        {"public_base_url": "https://gateway.example", "tables_connection": tables_connection}
    )


@pytest.fixture
async def storage(settings: Settings) -> AsyncIterator[Storage]:
    opened = Storage.open(settings)
    yield opened
    await opened.close()
