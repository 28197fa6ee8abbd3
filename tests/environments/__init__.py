"""Python environments of their own, for programs that cannot share the tests' packages; made once, then kept."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_KEPT = _HERE.parents[1] / ".local" / "envs"
_READY = "ready"


def environment_python(name: str) -> Path:
    """Return the interpreter of `tests/environments/NAME`, which holds exactly its requirements.txt (checked by hash).

    The environment is made under `.local/envs` when it is missing or its requirements changed; that takes some seconds
    and the package registry. Raises `subprocess.CalledProcessError` where it cannot be made.
    """
    requirements = _HERE / name / "requirements.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = _KEPT / f"{name}-{digest}"
    python = folder / "bin" / "python"
    _KEPT.mkdir(parents=True, exist_ok=True)
    with (_KEPT / f"{name}.lock").open("w") as lock:  # several test workers may want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _READY).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", str(folder))
            _run(str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements))
            (folder / _READY).touch()
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own interpreter and our own arguments
