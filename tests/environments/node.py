"""Node packages of their own, for JavaScript programs that the tests run. Made at first use, then kept."""

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
    lock = _HERE / name / "package-lock.json"
    node = find_node()
    folder = _KEPT / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not (folder / _READY).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name / file, folder / file)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        subprocess.run([*node.npm, "ci", *options], cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own lock
        (folder / _READY).touch()
    for script in lock.parent.glob("*.mjs"):
        shutil.copy(script, folder / script.name)
    return NodeEnvironment(node.node, folder)
