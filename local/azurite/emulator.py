import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from local import processes
from local.failure import LocalFailure
from local.node import Node
from local.places import TOOLS

PACKAGE = Path(__file__).parent
HOME = TOOLS / "azurite"
STAMP = HOME / "installed"
PROGRAM = HOME / "node_modules" / "azurite" / "dist" / "src" / "table" / "main.js"

ACCOUNT = "devstoreaccount1"
# Azurite's documented default, the same on every machine: it guards nothing.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def connection_string(port: int) -> str:
    """What `TABLES_CONNECTION` says for an Azurite on `port` of this machine."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
    )


def is_installed() -> bool:
    """Whether the version that package-lock.json names is in place."""
    return STAMP.exists() and STAMP.read_text() == _wanted() and PROGRAM.exists()


def install(node: Node) -> None:
    """Bring the pinned Azurite into `.local/azurite` with `npm ci`; at once when it is there.

    Safe to call from several processes. Raises LocalFailure with npm's last lines.
    """
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed():
            return
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PACKAGE / name, HOME / name)
        # No install scripts: the table service needs none of them.
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        npm = subprocess.run(
            [*node.npm, "ci", *options],
            cwd=HOME,
            env=_environment(node),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if npm.returncode != 0:
            last = "\n    ".join((npm.stderr or npm.stdout).strip().splitlines()[-6:])
            raise LocalFailure(f"npm could not install Azurite:\n    {last}")
        STAMP.write_text(_wanted())


def start(node: Node, *, port: int, data: Path, log: Path) -> processes.Running:
    """Start the table service alone on 127.0.0.1:`port`, keeping its tables in `data`.

    It is there once `wait_until_ready` returns.
    """
    data.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [node.node, PROGRAM, "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    command += ["--tableHost", "127.0.0.1", "--tablePort", str(port), "--location", data]
    return processes.start(
        "Azurite",
        command,
        log=log,
        environment=_environment(node),
        folder=data,
        # On SIGTERM it would lose what it has not saved, up to five seconds' worth.
        stop_signal=signal.SIGINT,
    )


def wait_until_ready(program: processes.Running, port: int) -> None:
    """Return once the table service answers; raises LocalFailure when it does not."""
    # Any answer will do: without a signature it is a refusal.
    url = f"http://127.0.0.1:{port}/{ACCOUNT}"
    processes.wait_until_ready(program, url, seconds=30, statuses=range(200, 500))


def _environment(node: Node) -> dict[str, str]:
    return {**os.environ, "PATH": f"{node.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _wanted() -> str:
    return hashlib.sha256((PACKAGE / "package-lock.json").read_bytes()).hexdigest()
