"""Runs a module with the service's clocks wrong or fast: `clocked.py [--ahead S] [--speed N --since T] MODULE ARG…`.

What the service takes for the time is `--ahead` seconds off, and since T (seconds since 1970) it passes N times as
fast; processes that are given the same T agree. Only the clocks that gateway's own classes take by default are turned:
timers of the event loop and of other libraries stay as they are. Test code only: the service knows nothing of it.
"""

import argparse
import importlib
import logging.config
import runpy
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

REPOSITORY = Path(__file__).parents[2]
# Loaded before the clocks are turned, so that they keep the right ones.
_OTHERS = ("aiohttp", "azure.data.tables.aio", "jwt", "pydantic_settings", "concurrent.futures.thread", "uvloop")
_GATEWAY = ("gateway.service", "gateway.portal", "gateway.cli.app")


def turn(ahead: float, speed: float, since: float) -> None:
    """Turn the clocks of everything in gateway."""
    real_time, real_monotonic = time.time, time.monotonic

    def wall() -> float:
        return since + (real_time() - since) * speed + ahead

    def monotonic() -> float:
        return real_monotonic() * speed

    assert threading
    assert logging.config
    for name in _OTHERS:
        importlib.import_module(name)
    # The default clocks of gateway's classes are taken when these are imported.
    time.time, time.monotonic = wall, monotonic
    try:
        for name in _GATEWAY:
            importlib.import_module(name)
    finally:
        time.time, time.monotonic = real_time, real_monotonic
    assertions = importlib.import_module("gateway.upstream.assertions")
    assertions.time = SimpleNamespace(time=wall)  # type: ignore[attr-defined]  # it asks for the time itself
    models = importlib.import_module("gateway.registry.models")
    models.turned_clock = wall  # type: ignore[attr-defined]  # where `_turned_now` looks for it
    # The function stays the same, so that whoever imported it has the turned one.
    models.now.__code__ = _turned_now.__code__


def _turned_now():  # type: ignore[no-untyped-def]  # noqa: ANN202  # runs with the names of gateway.registry.models
    return datetime.fromtimestamp(turned_clock(), UTC).replace(microsecond=0)  # type: ignore[name-defined]  # noqa: F821


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ahead", type=float, default=0.0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--since", type=float, default=0.0)
    parser.add_argument("module")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    sys.path[0] = str(REPOSITORY)
    turn(options.ahead, options.speed, options.since)
    sys.argv = [options.module, *options.arguments]
    runpy.run_module(options.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
