"""npm packages as a lock file pins them, beside the scripts that need them: made at first use, then kept."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from local.failure import LocalFailure
from local.node import Node
from local.places import TOOLS

_STAMP = "installed"


def kept(node: Node, source: Path, name: str) -> Path:
    """The folder `.local/envs/NAME` with what `install` brings there."""
    folder = TOOLS / "envs" / name
    install(node, source, folder, folder / "node_modules")
    return folder


def is_installed(source: Path, folder: Path, needed: Path) -> bool:
    """Whether `folder` holds what `source` names now, and the path `needed` with it."""
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text() == _wanted(source) and needed.exists()


def install(node: Node, source: Path, folder: Path, needed: Path) -> None:
    """Bring into `folder` the scripts of `source` and, by `npm ci`, what its package-lock.json names, checked by its
    hashes; at once when `is_installed`. `folder` is emptied before.

    Safe to call from several processes. Raises LocalFailure with npm's last lines.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed(source, folder, needed):
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in _files(source):
            shutil.copy(path, folder / path.name)
        # No install scripts: nothing here needs them.
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
        npm = subprocess.run(
            [*node.npm, "ci", *options],
            cwd=folder,
            env=environment(node),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if npm.returncode != 0:
            last = "\n    ".join((npm.stderr or npm.stdout).strip().splitlines()[-6:])
            raise LocalFailure(f"npm could not install the packages of {folder.name}:\n    {last}")
        (folder / _STAMP).write_text(_wanted(source))


def environment(node: Node) -> dict[str, str]:
    """This process's variables, with that Node first on PATH."""
    return {**os.environ, "PATH": f"{node.node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _files(source: Path) -> list[Path]:
    return [source / "package.json", source / "package-lock.json", *sorted(source.glob("*.mjs"))]


def _wanted(source: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in _files(source))).hexdigest()
