"""From nothing to an answer: how long a new process takes."""

import http.client
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

from bench.load import LoadFailed
from bench.programs import Programs
from bench.resources import PATIENT
from bench.subjects import Site
from local.function_host import HostName
from local.places import REPOSITORY
from local.ports import free_port

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.002


@dataclass(frozen=True)
class ColdStart:
    """Seconds, medians: from the start of the process to the first answer, and what importing the app takes of it."""

    first_metadata: float
    first_read: float
    imports: float


def cold_start(programs: Programs, host: HostName, site: Site, *, times: int) -> ColdStart:
    """Start the gateway `times` times for each kind of first request, with nothing but that request to answer."""

    def first(path: str) -> float:
        return median(_first_answer(programs, host, site, path) for _ in range(times))

    return ColdStart(
        first("/fhir/r4/metadata"),
        first(f"/fhir/r4/Patient/{PATIENT}"),
        median(_import_seconds(site) for _ in range(times)),
    )


def _first_answer(programs: Programs, host: HostName, site: Site, path: str) -> float:
    port, headers = free_port(), {"Authorization": f"Bearer {site.token}"}
    # PUBLIC_BASE_URL stays, so that the token, which names it, is taken on the new port, too.
    began = time.perf_counter()
    program = programs.launch(host, REPOSITORY, site.gateway.environment, port)
    try:
        while time.perf_counter() - began < _PATIENCE_SECONDS:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
                try:
                    connection.request("GET", path, headers=headers)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == http.HTTPStatus.OK:
                        return time.perf_counter() - began
                finally:
                    connection.close()
            time.sleep(_PAUSE_SECONDS)
    finally:
        programs.stop(program)
    raise LoadFailed(f"a new process did not answer within {_PATIENCE_SECONDS:.0f} s")


def _import_seconds(site: Site) -> float:
    command = [sys.executable, "-X", "importtime", "-c", "import function_app"]
    environment = {**os.environ, **site.gateway.environment}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True)
    return imported_microseconds(done.stderr, "function_app") / 1e6


def imported_microseconds(output: str, module: str) -> int:
    """What `-X importtime` says of a module with all that it imports. Raises LoadFailed when it says nothing."""
    for line in output.splitlines():
        own, _, rest = line.partition("|")
        cumulative, _, name = rest.partition("|")
        if own.startswith("import time:") and name.strip() == module:
            return int(cumulative)
    raise LoadFailed(f"-X importtime did not name {module}")
