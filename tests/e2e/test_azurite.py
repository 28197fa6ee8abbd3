from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from local import azurite, processes
from local.node import find_node
from local.ports import free_port

pytestmark = pytest.mark.e2e


@contextmanager
def tables(folder: Path, port: int) -> Iterator[TableServiceClient]:
    node = find_node()
    azurite.install(node)
    program = azurite.start(node, port=port, data=folder / "data", log=folder / "azurite.log")
    try:
        azurite.wait_until_ready(program, port)
        with TableServiceClient.from_connection_string(azurite.connection_string(port)) as service:
            yield service
    finally:
        processes.stop(program)


def test_tables_survive_a_restart(tmp_path: Path) -> None:
    port = free_port()
    with tables(tmp_path, port) as service:
        service.create_table("tenants").create_entity({"PartitionKey": "p", "RowKey": "r", "name": "Åsa"})
    with tables(tmp_path, port) as service:
        assert service.get_table_client("tenants").get_entity("p", "r")["name"] == "Åsa"


def test_the_lock_file_names_no_registry() -> None:
    lock = (Path(azurite.__file__).parent / "package-lock.json").read_text()
    assert '"node_modules/azurite"' in lock
    assert '"resolved"' not in lock
