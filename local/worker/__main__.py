import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

import uvloop

from local.worker.application import Application, load
from local.worker.errors import HostError
from local.worker.server import bind, make_server
from local.worker.settings import apply_local_settings

_EXAMPLE = "example: python -m local.worker --app . --port 7071"


def main(arguments: list[str] | None = None) -> int:
    """Serve a function app until SIGINT or SIGTERM; return 0 then, or 1 if it could not be served."""
    options = _parser().parse_args(arguments)
    _configure_logging(options.verbose)
    app_dir: Path = options.app.resolve()
    try:
        apply_local_settings(app_dir, os.environ)
        os.environ.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(app_dir, options.host, options.port))
    except HostError as error:
        if options.verbose:
            logging.getLogger(__name__).exception("Not served")
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.worker",
        description="Run a function app on this machine as Azure Functions would.",
        epilog=_EXAMPLE,
    )
    parser.add_argument(
        "--app", type=Path, default=Path(), metavar="DIR", help="directory of function_app.py (default: .)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=7071, help="port to listen on, 0 for any free one (default: 7071)")
    parser.add_argument(
        "--verbose", action="store_true", help="show the worker's own log and tracebacks of failed starts"
    )
    return parser


def _configure_logging(verbose: bool) -> None:  # noqa: FBT001 (straight from the command line)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The SDK's own lines at INFO are one per call, with URLs.
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("azure.functions").setLevel(logging.DEBUG if verbose else logging.WARNING)


async def _serve(app_dir: Path, host: str, port: int) -> None:
    with bind(host, port) as listener:
        os.chdir(app_dir)
        application = await load(app_dir)
        print(_table(application, host, listener.getsockname()[1]), flush=True)
        await make_server(application).serve(sockets=[listener])
    # Azure Functions ends a worker without telling the app, which has no place to close its HTTP clients.
    logging.getLogger("asyncio").addFilter(lambda record: not record.getMessage().startswith("Unclosed"))


def _table(application: Application, host: str, port: int) -> str:
    prefix = f"/{application.route_prefix}" if application.route_prefix else ""
    shown_host = f"[{host}]" if ":" in host else host
    width = max((len(function.name) for function in application.functions), default=0)
    lines = ["Functions:", ""]
    lines += [
        f"  {function.name:{width}}  [{','.join(sorted(function.methods))}] "
        f"http://{shown_host}:{port}{prefix}/{function.route.strip('/')}"
        for function in application.functions
    ]
    lines += [f"  {name}: not served here (no HTTP trigger)" for name in application.not_served]
    lines += ["", f"Listening on http://{shown_host}:{port}"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
