import pytest

from gateway.settings import Settings


@pytest.fixture
def settings(tables_connection: str) -> Settings:
    return Settings.model_validate(
        {"public_base_url": "https://gateway.example", "tables_connection": tables_connection}
    )
