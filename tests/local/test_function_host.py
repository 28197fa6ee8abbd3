import sys
from pathlib import Path

import pytest

from local.failure import LocalFailure
from local.function_host import chosen_host, host_command, host_environment


@pytest.fixture
def func(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `func` on PATH."""
    program = tmp_path / "func"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def no_func(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("func")
@pytest.mark.parametrize(("wish", "host"), [("", "func"), ("func", "func"), ("worker", "worker")])
def test_where_func_is_installed(monkeypatch: pytest.MonkeyPatch, wish: str, host: str) -> None:
    monkeypatch.setenv("HOST", wish)
    assert chosen_host() == host


@pytest.mark.usefixtures("no_func")
def test_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOST", raising=False)
    assert chosen_host() == "worker"
    monkeypatch.setenv("HOST", "func")
    with pytest.raises(LocalFailure, match="Core Tools"):
        chosen_host()


def test_another_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "iis")
    with pytest.raises(LocalFailure, match="HOST must be func or worker, not 'iis'"):
        chosen_host()


def test_core_tools_gets_its_port_and_this_environments_python() -> None:
    assert host_command("func", 8080) == ["func", "start", "--python", "--port", "8080"]
    environment = host_environment("func")
    assert environment["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert environment["PATH"].startswith(f"{sys.prefix}/bin:")
