import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from local import azurite, processes
from local.node import find_node
from local.ports import free_port
from local.stack_file import Stack, read_stack

REPOSITORY = Path(__file__).parents[2]

type LocalCommand = Callable[[str, Mapping[str, str]], subprocess.CompletedProcess[str]]


def own_environment(state: Path) -> dict[str, str]:
    """The environment of a stack of its own, so that a developer's running one is left alone."""
    free_ports = {"PORT": str(free_port()), "AZURITE_TABLE_PORT": str(free_port())}
    return {**os.environ, **free_ports, "PATIENTS_GATEWAY_LOCAL": str(state)}


@pytest.fixture(scope="session")
def run_local() -> LocalCommand:
    """`python -m local COMMAND`, which is what `make COMMAND` runs once everything is installed."""

    def run(command: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 -- this project's own program
            [sys.executable, "-m", "local", command],
            cwd=REPOSITORY,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Connection string of an Azurite of this test run's own."""
    folder, port, node = tmp_path_factory.mktemp("azurite"), free_port(), find_node()
    azurite.install(node)
    program = azurite.start(node, port=port, data=folder / "data", log=folder / "azurite.log")
    try:
        azurite.wait_until_ready(program, port)
        yield azurite.connection_string(port)
    finally:
        processes.stop(program)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, run_local: LocalCommand) -> Iterator[Stack]:
    """The whole stack of `make up`: Azurite, three hospitals, the function app."""
    state = tmp_path_factory.mktemp("stack")
    environment = own_environment(state)
    up = run_local("up", environment)
    assert up.returncode == 0, up.stdout + up.stderr
    running = read_stack(state)
    assert running is not None
    yield running
    down = run_local("down", environment)
    assert down.returncode == 0, down.stdout + down.stderr


@pytest.fixture
def environment(tmp_path: Path, run_local: LocalCommand) -> Iterator[dict[str, str]]:
    """A stack's environment for one test; whatever the test starts in it is stopped afterwards."""
    variables = own_environment(tmp_path)
    yield variables
    run_local("down", variables)
