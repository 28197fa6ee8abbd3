"""A whole run of pytest with one end-to-end test in it, whose program logs what it should not."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

REPOSITORY = Path(__file__).parents[2]
TEST = """
import os, subprocess, sys
import pytest

PROGRAM = '''
import logging, sys
logging.getLogger("azure").setLevel(logging.ERROR)
logging.getLogger("azure.core").debug("GET Patient?family=%s", sys.argv[1])
'''

@pytest.mark.e2e
def test_it(tmp_path):
    program = tmp_path / "some_tool.py"
    program.write_text(PROGRAM)
    subprocess.run([sys.executable, str(program), "FAMILY"], env=os.environ, check=True)
"""


@pytest.mark.parametrize(
    ("processes", "family", "code", "said"),
    [((), "nobody", 0, "none found"), (("-n", "2"), "whitcomb", 1, "1 found")],
    ids=["clean", "leak"],
)
def test_a_run_fails_by_what_a_program_logged(
    tmp_path: Path, processes: tuple[str, ...], family: str, code: int, said: str
) -> None:
    (tmp_path / "test_it.py").write_text(TEST.replace("FAMILY", family))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = e2e\n")
    options = ["-p", "tests.privacy.plugin", "-p", "no:cacheprovider", *processes, "--rootdir", str(tmp_path)]
    run = subprocess.run(  # noqa: S603  # this project's own tests
        [sys.executable, "-m", "pytest", *options, f"--basetemp={tmp_path / 'base'}", str(tmp_path / "test_it.py")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == code, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("privacy: ")]
    assert said in line
    assert ("name 'Whitcomb'" in run.stdout) == (code == 1)
