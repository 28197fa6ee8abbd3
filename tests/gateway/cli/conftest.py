import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.app import _arguments, app
from gateway.settings import setting_names

type Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tables_connection: str) -> Run:
    """The command line against an empty Azurite account; `code` is the exit code that is expected."""
    for name in setting_names().values():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATIENTS_GATEWAY_LOCAL", str(tmp_path / "no-stack"))
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://gateway.example")
    monkeypatch.setenv("TABLES_CONNECTION", tables_connection)
    monkeypatch.setenv("LOCAL_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("ALLOW_PRIVATE_UPSTREAMS", "true")
    monkeypatch.setenv("UPSTREAM_TIMEOUT_SECONDS", "1")
    monkeypatch.setenv("TERMINAL_WIDTH", "200")

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(app, _arguments([str(argument) for argument in arguments]))
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """What a command writes to standard output, which must be JSON and nothing else."""

    def call(*arguments: object, code: int = 0) -> Any:  # noqa: ANN401  # JSON
        return json.loads(run(*arguments, "--json", code=code).stdout)

    return call
