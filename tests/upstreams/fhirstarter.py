"""A FHIR STU3 server on fhirstarter, a framework that this project did not write: it routes, reads searches, validates
what it hands out. Like many servers it takes no notice of parameters that it does not know, modifiers among them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import processes
from local.ports import free_port
from tests.environments import environment_python

_SCRIPT = Path(__file__).parents[1] / "environments" / "fhirstarter" / "serve.py"
_READY_SECONDS = 60


@contextmanager
def running_fhirstarter(data: Path, key: str, log: Path) -> Iterator[str]:
    """Serve the NDJSON files of a folder; yields the FHIR base address. Every request needs `key` in X-Api-Key."""
    port = free_port()
    command: list[str | Path] = [environment_python("fhirstarter"), _SCRIPT, str(data), str(port), key]
    program = processes.start("fhirstarter", command, log=log, environment={}, folder=log.parent)
    try:
        base = f"http://127.0.0.1:{port}"
        processes.wait_until_ready(program, f"{base}/metadata", seconds=_READY_SECONDS)
        yield base
    finally:
        processes.stop(program)
