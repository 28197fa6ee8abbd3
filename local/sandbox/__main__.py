"""`python -m local.sandbox HOSPITAL`: serve one sandbox hospital until SIGTERM or Ctrl-C."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType

import uvicorn

from local.sandbox.app import build_app
from local.sandbox.hospitals import load_hospitals


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the hospital that the command line names; return the exit code."""
    hospitals = {hospital.name: hospital for hospital in load_hospitals()}
    options = _parse(arguments, list(hospitals))
    hospital = hospitals[options.hospital]
    port = hospital.port if options.port is None else options.port
    try:
        listener = socket.create_server((options.host, port), backlog=2048)
    except OSError as error:
        print(f"cannot listen on {options.host}:{port}: {os.strerror(error.errno or 0)}", file=sys.stderr)
        return 1
    app = build_app(hospital, options.delay_ms / 1000)
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning", lifespan="off"))
    # uvicorn stops in order and then raises the signal again: that is no failure.
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, _exit_cleanly)
    url = f"http://{options.host}:{listener.getsockname()[1]}{hospital.base_path}"
    print(f"{hospital.display_name} at {url}", flush=True)
    with listener:
        server.run(sockets=[listener])
    return 0


def _parse(arguments: Sequence[str] | None, names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.sandbox", description="Serve a sandbox hospital.")
    parser.add_argument("hospital", choices=names)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, help="0 takes a free one (default: the hospital's own)")
    parser.add_argument("--delay-ms", type=int, default=0, help="wait before each answer from the data")
    return parser.parse_args(arguments)


def _exit_cleanly(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
