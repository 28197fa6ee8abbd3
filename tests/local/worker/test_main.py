"""The command: what it prints, how it fails and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from local.worker.__main__ import main

type WriteApp = Callable[..., Path]

FUNCTION = """
    @app.route("it/{id}", methods=["POST", "GET"])
    async def it(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("x")
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    # The command changes its process: directory and environment are put back.
    monkeypatch.chdir(Path.cwd())
    monkeypatch.setattr(os, "environ", os.environ.copy())


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["--port", "0", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err.strip()


def test_an_app_that_fails_at_import_is_one_line_with_its_message(
    write_app: WriteApp, capsys: pytest.CaptureFixture[str]
) -> None:
    app_dir = write_app("", head='raise ValueError("GATEWAY_ISSUER: must be an https URL")')
    assert failure(capsys, "--app", str(app_dir)) == (
        "function_app.py failed to load: GATEWAY_ISSUER: must be an https URL"
    )


def test_a_missing_module_is_named(write_app: WriteApp, capsys: pytest.CaptureFixture[str]) -> None:
    app_dir = write_app("", head="import nosuchmodule")
    assert failure(capsys, "--app", str(app_dir)) == (
        "function_app.py failed to load: ModuleNotFoundError: No module named 'nosuchmodule'"
    )


def test_an_app_without_functions_is_one_line(write_app: WriteApp, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no functions found" in failure(capsys, "--app", str(write_app("")))


def test_a_directory_without_host_json_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "host.json" in failure(capsys, "--app", str(tmp_path))


def test_a_taken_port_is_named_with_the_way_out(write_app: WriteApp, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = failure(capsys, "--app", str(write_app(FUNCTION)), "--port", port)
    assert port in line
    assert "PORT=" in line


def test_the_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    assert "example: python -m local.worker" in capsys.readouterr().out


@pytest.mark.e2e
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_quietly_with_0(write_app: WriteApp, stop: signal.Signals) -> None:
    app_dir = write_app(
        """
    import aiohttp
    session = aiohttp.ClientSession()
    """
        + FUNCTION
    )
    command = [sys.executable, "-m", "local.worker", "--app", str(app_dir), "--port", "0"]
    # Without the recording of tests/privacy, which makes every process talkative.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(  # noqa: S603 (this repository's own command)
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or not lines[-1].startswith("Listening on "):
                line = process.stdout.readline()
                assert line, "ended before it listened"
                lines.append(line.strip())
            origin = lines[-1].removeprefix("Listening on ")
            assert f"it  [GET,POST] {origin}/api/it/{{id}}" in lines
            with urlopen(f"{origin}/api/it/1", timeout=5) as response:  # noqa: S310 (an address of loopback)
                assert response.read() == b"x"
            process.send_signal(stop)
            output, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, output, errors) == (0, "", "")
