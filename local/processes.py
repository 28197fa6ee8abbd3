"""Starts, awaits and stops the programs of the local stack, each in a process group of its own."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import requests

from local.failure import LocalFailure

GRACE_SECONDS = 10.0
"""How long a program has between its stop signal and SIGKILL."""

LOG_LINES_SHOWN = 12


@dataclass(frozen=True)
class Running:
    """A started program. `birth` tells it from a later program that the system gave the same pid."""

    name: str
    pid: int
    birth: str
    log: str
    stop_signal: int = signal.SIGTERM


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str],
    folder: Path,
    stop_signal: int = signal.SIGTERM,
) -> Running:
    """Start `command` in `folder`, in a session of its own, so that Ctrl-C reaches only who started it.

    `stop_signal` is the one on which the program ends in good order.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    # Nobody waits for the child through this object (`down` is another process), so it must not warn.
    child.returncode = 0
    return Running(name, child.pid, _birth(child.pid) or "", str(log), int(stop_signal))


def wait_until_ready(program: Running, url: str, *, seconds: float, statuses: range = range(200, 300)) -> None:
    """Return once `url` answers one of `statuses`.

    Raises LocalFailure, with the end of the program's log, when it exits first or `seconds` pass.
    """
    deadline = time.monotonic() + seconds
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no part in talking to loopback
        while time.monotonic() < deadline:
            if not is_alive(program):
                raise LocalFailure(f"{program.name} stopped while starting{_end_of_log(program)}")
            with suppress(requests.RequestException):
                if session.get(url, timeout=5).status_code in statuses:
                    return
            time.sleep(0.05)
    raise LocalFailure(f"{program.name} was not ready after {seconds:.0f} s{_end_of_log(program)}")


def stop(program: Running) -> None:
    """Send the program its stop signal, SIGKILL after GRACE_SECONDS. Harmless when it is gone already."""
    if not is_alive(program):
        return
    _signal_group(program.pid, program.stop_signal)
    deadline = time.monotonic() + GRACE_SECONDS
    while is_alive(program) and time.monotonic() < deadline:
        time.sleep(0.02)
    # Also ends what a program (func has a child per language) left in its group.
    _signal_group(program.pid, signal.SIGKILL)
    while is_alive(program):
        time.sleep(0.02)


def is_alive(program: Running) -> bool:
    """Whether this very program still runs; a zombie, or another program with its pid, does not count."""
    with suppress(ChildProcessError):
        os.waitpid(program.pid, os.WNOHANG)
    return _birth(program.pid) == program.birth


def write_record(path: Path, programs: Sequence[Running]) -> None:
    """Remember `programs` in the order of their start, for another process to stop."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(program) for program in programs], indent=1) + "\n")


def read_record(path: Path) -> list[Running]:
    """What `write_record` remembered; nothing when there is no such file."""
    try:
        return [Running(**fields) for fields in json.loads(path.read_text())]
    except FileNotFoundError:
        return []


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _birth(pid: int) -> str | None:
    """When the process started, in the system's own words; None when it is gone or a zombie."""
    if Path("/proc/self/stat").exists():
        try:
            after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        state, start_ticks = after_name[0], after_name[19]
        return None if state in "ZX" else f"{start_ticks} {_boot()}"
    listed = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if not listed or listed[0].startswith("Z") else listed[1].strip()


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _end_of_log(program: Running) -> str:
    lines = Path(program.log).read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    return "".join([f" (log: {program.log})", *(f"\n    {line}" for line in lines)])
