"""Node packages of their own, for JavaScript programs that the tests run. Made at first use, then kept."""

import fcntl
import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.node import find_node

_HERE = Path(__file__).parent
_KEPT = _HERE.parents[1] / ".local" / "envs"
_READY = "ready"


@dataclass(frozen=True)
class NodeEnvironment:
    """`folder` holds node_modules and the scripts of the environment, which find their packages there."""

    node: Path
    folder: Path


def node_environment(name: str) -> NodeEnvironment:
    """What `package-lock.json` of `tests/environments/NAME` names, by `npm ci`, checked by its hashes.

    Raises `subprocess.CalledProcessError` where it cannot be made.
    """
    home, node = _HERE / name, find_node()
    files = [home / "package-lock.json", home / "package.json", *sorted(home.glob("*.mjs"))]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = _KEPT / f"{name}-{digest}"
    _KEPT.mkdir(parents=True, exist_ok=True)
    with (_KEPT / f"{name}.lock").open("w") as lock:  # several test workers may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for path in files:
                shutil.copy(path, folder / path.name)
            options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
            command = [*node.npm, "ci", *options]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own lock
            (folder / _READY).touch()
    return NodeEnvironment(node.node, folder)
