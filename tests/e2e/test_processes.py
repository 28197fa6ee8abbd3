import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local import processes
from local.failure import LocalFailure
from local.ports import free_port
from local.processes import Running

pytestmark = pytest.mark.e2e


STARTER = """
import os, pathlib, signal, sys, time
from local import processes
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background inherit it ignored
here = pathlib.Path(sys.argv[1])
program = processes.start("probe", [sys.executable, "-c", "import time; time.sleep(60)"],
    log=here / "probe.log", environment=os.environ, folder=here)
processes.write_record(here / "record.json", [program])
time.sleep(60)
"""


def start(tmp_path: Path, program: str) -> Running:
    return processes.start(
        "probe",
        [sys.executable, "-c", program],
        log=tmp_path / "probe.log",
        environment=os.environ,
        folder=tmp_path,
    )


def wait_for(path: Path) -> str:
    deadline = time.monotonic() + 20
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.02)
    return path.read_text()


def test_a_stopped_program_is_gone(tmp_path: Path) -> None:
    program = start(tmp_path, "import time; time.sleep(60)")
    assert processes.is_alive(program)
    processes.stop(program)
    assert not processes.is_alive(program)
    with pytest.raises(ProcessLookupError):
        os.kill(program.pid, 0)


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.3)
    program = start(
        tmp_path,
        "import pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path('deaf').write_text('yes')\n"
        "time.sleep(60)",
    )
    wait_for(tmp_path / "deaf")
    processes.stop(program)
    assert not processes.is_alive(program)


def test_what_a_program_started_itself_is_stopped_with_it(tmp_path: Path) -> None:
    program = start(
        tmp_path,
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\n"
        "time.sleep(60)",
    )
    child = int(wait_for(tmp_path / "child"))
    processes.stop(program)
    deadline = time.monotonic() + 10
    # Whether an orphan that ended is also reaped is up to the machine's init.
    while (stat := Path(f"/proc/{child}/stat")).exists() and ") Z" not in stat.read_text():
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.02)


def test_another_program_with_the_recorded_pid_is_left_alone(tmp_path: Path) -> None:
    program = start(tmp_path, "import time; time.sleep(60)")
    earlier = dataclasses.replace(program, birth="1 an-earlier-boot")
    assert not processes.is_alive(earlier)
    processes.stop(earlier)
    assert processes.is_alive(program)
    processes.stop(program)


def test_an_early_exit_shows_the_end_of_the_log(tmp_path: Path) -> None:
    program = start(tmp_path, "print('the port is on fire')")
    with pytest.raises(LocalFailure, match=r"(?s)probe stopped while starting.*the port is on fire"):
        processes.wait_until_ready(program, f"http://127.0.0.1:{free_port()}/", seconds=20)


def test_a_program_that_never_answers_is_named(tmp_path: Path) -> None:
    program = start(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(LocalFailure, match="probe was not ready after"):
        processes.wait_until_ready(program, f"http://127.0.0.1:{free_port()}/", seconds=0.3)
    processes.stop(program)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    programs = [Running("one", 11, "birth one", "/log/one"), Running("two", 12, "birth two", "/log/two")]
    processes.write_record(tmp_path / "run" / "programs.json", programs)
    assert processes.read_record(tmp_path / "run" / "programs.json") == programs
    assert processes.read_record(tmp_path / "none.json") == []


def test_ctrl_c_reaches_only_who_started_the_program(tmp_path: Path) -> None:
    starter = subprocess.Popen(  # noqa: S603 -- this project's own program
        [sys.executable, "-c", STARTER, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(tmp_path / "record.json")
    (program,) = processes.read_record(tmp_path / "record.json")
    os.killpg(starter.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    starter.wait(timeout=20)
    assert processes.is_alive(program)
    processes.stop(program)
