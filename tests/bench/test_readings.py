import subprocess
import sys

import pytest

from bench.cold_start import imported_microseconds
from bench.load import LoadFailed
from bench.usage import Bystanders, Usage, usage_of

IMPORTS = """\
import time: self [us] | cumulative | imported package
import time:       120 |        120 |   functions.app
import time:      1500 |     812345 | function_app
"""


def test_import_time_counts_what_a_module_imports() -> None:
    assert imported_microseconds(IMPORTS, "function_app") == 812_345


def test_import_time_of_a_module_that_was_not_imported() -> None:
    with pytest.raises(LoadFailed, match="gateway"):
        imported_microseconds(IMPORTS, "gateway")


BURN = """\
import sys, time
sys.stdin.readline()
while time.process_time() < 0.15:
    pass
print(flush=True)
sys.stdin.read()
"""


def test_usage_counts_processor_time_and_memory_of_a_group() -> None:
    with subprocess.Popen(  # noqa: S603  # our own interpreter
        [sys.executable, "-I", "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        knows_it, does_not = Bystanders([child.pid]), Bystanders([])
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        usage = usage_of(child.pid)
        taken_for_a_bystander = does_not.share()
        assert knows_it.share() < taken_for_a_bystander <= 1
        child.stdin.close()
    assert 0.1 <= usage.cpu_seconds < 1
    assert 1_000_000 < usage.resident < 100_000_000


def test_group_that_is_gone_uses_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-I", "-c", ""], start_new_session=True)  # our own
    child.wait()
    assert usage_of(child.pid) == Usage(0.0, 0)
