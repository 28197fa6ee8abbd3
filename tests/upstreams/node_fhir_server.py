"""A FHIR DSTU2 server on node-fhir-server-core, a framework that this project did not write. It has no
AllergyIntolerance and no MedicationOrder in this version, its conformance statement is an error, and it takes no
notice of parameters that the standard's release does not have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import processes
from local.ports import free_port
from tests.environments.node import node_environment

_READY_SECONDS = 60


@contextmanager
def running_node_fhir_server(data: Path, log: Path) -> Iterator[str]:
    """Serve the NDJSON files of a folder; yields the FHIR base address. Anybody may ask."""
    environment, port = node_environment("node_fhir_server"), free_port()
    command: list[str | Path] = [environment.node, environment.folder / "serve.mjs", str(port), data]
    program = processes.start("node-fhir-server-core", command, log=log, environment={}, folder=environment.folder)
    try:
        base = f"http://localhost:{port}/1_0_2"
        processes.wait_until_ready(program, f"{base}/Patient?_id=none", seconds=_READY_SECONDS)
        yield base
    finally:
        processes.stop(program)
