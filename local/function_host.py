import os
import shutil
import sys
from pathlib import Path
from typing import Literal

from local.failure import LocalFailure

type HostName = Literal["func", "worker"]


def chosen_host() -> HostName:
    """What `HOST` asks for; unset: Core Tools' `func` where it is on PATH, else the local worker host.

    Raises LocalFailure for another value, and when `func` is asked for but not installed.
    """
    match os.environ.get("HOST", ""):
        case "":
            return "func" if shutil.which("func") else "worker"
        case "worker":
            return "worker"
        case "func" if shutil.which("func"):
            return "func"
        case "func":
            raise LocalFailure("HOST=func needs Azure Functions Core Tools: no `func` on PATH (or HOST=worker)")
        case other:
            raise LocalFailure(f"HOST must be func or worker, not {other!r}")


def host_command(host: HostName, port: int) -> list[str | Path]:
    """The command that serves the function app of this repository on `port`."""
    if host == "func":
        return ["func", "start", "--python", "--port", str(port)]
    return [sys.executable, "-m", "local.worker", "--app", ".", "--port", str(port)]


def host_environment(host: HostName) -> dict[str, str]:
    """What the host itself wants to know, beside the app's settings.

    Core Tools takes the environment's value over the one in local.settings.json, and runs the first `python`
    on PATH.
    """
    if host == "worker":
        return {}
    environment = Path(sys.prefix)
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsSecretStorageType": "files",
        "FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT": "1",
        "VIRTUAL_ENV": str(environment),
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
    }
