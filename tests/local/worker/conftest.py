"""Throw-away function apps, loaded in this process."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from textwrap import dedent

import pytest

from local.worker.application import load
from local.worker.client import Client

_HEAD = """
import json
import azure.functions as func
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""

_WITHOUT_PREFIX = '{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}'

type WriteApp = Callable[..., Path]
type Serve = Callable[[str], Awaitable[Client]]


@pytest.fixture
def write_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteApp:
    """Return a function that writes an app (its functions' source, host.json) and returns its directory."""
    # Loading an app changes both; another test may want the real function_app.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "function_app", raising=False)
    written = iter(range(100))

    def write(functions: str, host: str = '{"version": "2.0"}', head: str = _HEAD) -> Path:
        app_dir = tmp_path / f"app{next(written)}"
        app_dir.mkdir()
        (app_dir / "host.json").write_text(host)
        (app_dir / "function_app.py").write_text(head + dedent(functions))
        return app_dir

    return write


@pytest.fixture
def serve(write_app: WriteApp) -> Serve:
    """Return a function that loads an app from its functions' source and returns a client for it."""

    async def serve(functions: str) -> Client:
        return Client(await load(write_app(functions, _WITHOUT_PREFIX)))

    return serve
