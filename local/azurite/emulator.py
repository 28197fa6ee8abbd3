import signal
from pathlib import Path

from local import npm, processes
from local.node import Node
from local.places import TOOLS

PACKAGE = Path(__file__).parent
HOME = TOOLS / "azurite"
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
    return npm.is_installed(PACKAGE, HOME, PROGRAM)


def install(node: Node) -> None:
    """Bring the pinned Azurite into `.local/azurite`; at once when it is there.

    Safe to call from several processes. Raises LocalFailure with npm's last lines.
    """
    npm.install(node, PACKAGE, HOME, PROGRAM)


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
        environment=npm.environment(node),
        folder=data,
        # On SIGTERM it would lose what it has not saved, up to five seconds' worth.
        stop_signal=signal.SIGINT,
    )


def wait_until_ready(program: processes.Running, port: int) -> None:
    """Return once the table service answers; raises LocalFailure when it does not."""
    # Any answer will do: without a signature it is a refusal.
    url = f"http://127.0.0.1:{port}/{ACCOUNT}"
    processes.wait_until_ready(program, url, seconds=30, statuses=range(200, 500))
