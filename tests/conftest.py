import logging
import os
from collections.abc import Iterator
from itertools import count
from unittest.mock import patch

import pytest

from local import azurite, processes
from local.node import find_node
from local.ports import free_port

# Searches what the end-to-end tests leave in logs and tables.
pytest_plugins = ["tests.privacy.plugin"]

_ACCOUNTS = 999
_KEY = "a2V5"


@pytest.fixture(scope="session")
def azurite_accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[str]]:
    """Connection strings of empty accounts of one real Azurite, this test process's own."""
    folder, port, node = tmp_path_factory.mktemp("azurite"), free_port(), find_node()
    azurite.install(node)
    names = [f"test{number}" for number in range(_ACCOUNTS)]
    with patch.dict(os.environ, {"AZURITE_ACCOUNTS": ";".join(f"{name}:{_KEY}" for name in names)}):
        program = azurite.start(node, port=port, data=folder / "data", log=folder / "azurite.log")
    try:
        azurite.wait_until_ready(program, port)
        yield (
            f"DefaultEndpointsProtocol=http;AccountName={names[number]};AccountKey={_KEY};"
            f"TableEndpoint=http://127.0.0.1:{port}/{names[number]};"
            for number in count()
        )
    finally:
        processes.stop(program)


@pytest.fixture(autouse=True)
def _records_reach_caplog() -> None:
    """An app that was loaded in this process has its lines in one place, away from the root logger."""
    logging.getLogger("gateway").propagate = True


@pytest.fixture
def tables_connection(azurite_accounts: Iterator[str]) -> str:
    """What `TABLES_CONNECTION` says for an account of Table Storage that nothing was written to yet."""
    return next(azurite_accounts)
