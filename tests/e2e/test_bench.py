import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed (apt install wrk)")
def test_quick_benchmark_measures_the_rows_asked_for(tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.json"
    command = [sys.executable, "-m", "bench.run", "--quick", "--only", "noop", "--only", "read_fresh"]
    environment = {**os.environ, "HOST": "worker", "TMPDIR": str(tmp_path)}
    done = subprocess.run(  # noqa: S603  # this project's own program
        [*command, "--json", str(numbers)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 KB read, fresh token each" in done.stdout
    cells = json.loads(numbers.read_text())["cells"]
    assert [(cell["subject"], cell["connections"]) for cell in cells] == [
        ("noop", 1),
        ("read_fresh", 1),
        ("noop", 64),
        ("read_fresh", 64),
    ]
    assert all(sample["requests"] > 0 for cell in cells for sample in cell["samples"])
    assert _processes_in(tmp_path) == []


def _processes_in(folder: Path) -> list[str]:
    """Command lines, of all processes, that name `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in command:
                found.append(command)
    return found
