"""What the fault tests start and break: storage, and the service as worker processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway.audit import By
from gateway.manage.documents import ClientNew, TenantNew
from gateway.service import Service
from gateway.settings import Settings
from local import azurite, processes
from local.node import find_node
from local.ports import free_port
from local.processes import Running

REPOSITORY = Path(__file__).parents[2]
CLOCKED = Path(__file__).with_name("clocked.py")
BY = By("fault tests", "setup", "fault-tests")

type Variables = Mapping[str, str]
"""Settings by the names that they have in the environment."""


class Storage:
    """An Azurite of the test's own that can be killed, frozen and started again with its data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._node = find_node()
        self._port = free_port()
        self._program: Running | None = None
        azurite.install(self._node)

    @property
    def connection(self) -> str:
        return azurite.connection_string(self._port)

    def start(self) -> None:
        log = self._folder / "azurite.log"
        self._program = azurite.start(self._node, port=self._port, data=self._folder / "azurite", log=log)
        azurite.wait_until_ready(self._program, self._port)

    def save(self) -> None:
        """Have everything on disk: it saves when it is asked to stop, else only every five seconds."""
        self.stop()
        self.start()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        assert self._program is not None
        os.kill(self._program.pid, number)

    def stop(self) -> None:
        if self._program is not None and processes.is_alive(self._program):
            self.signal(signal.SIGCONT)
            processes.stop(self._program)


@dataclass
class Worker:
    """One instance of the service: the function app on the local worker host."""

    base_url: str
    program: Running

    def kill(self) -> None:
        os.kill(self.program.pid, signal.SIGKILL)

    def stop(self) -> None:
        processes.stop(self.program)

    @property
    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.program.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    @property
    def open_files(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.program.pid}/fd").iterdir())


def settings_for(storage: Storage, folder: Path, **more: str) -> dict[str, str]:
    """The variables of every instance of one service."""
    return {
        "PUBLIC_BASE_URL": "http://gateway.example",
        "TABLES_CONNECTION": storage.connection,
        "LOCAL_KEYS_DIR": str(folder / "keys"),
        "ALLOW_PRIVATE_UPSTREAMS": "true",
        "LOG_LEVEL": "WARNING",
        **more,
    }


def start_worker(folder: Path, variables: Variables, *, port: int | None = None, clock: Sequence[str] = ()) -> Worker:
    """Returns once it answers. `clock`: options of `clocked.py`, for a process whose clock is wrong or fast."""
    port = port or free_port()
    module = ["local.worker", "--app", ".", "--port", str(port)]
    program = processes.start(
        f"worker {port}",
        [sys.executable, *([CLOCKED, *clock] if clock else ["-m"]), *module],
        log=folder / f"worker-{port}.log",
        environment={**os.environ, **variables},
        folder=REPOSITORY,
    )
    worker = Worker(f"http://127.0.0.1:{port}", program)
    processes.wait_until_ready(program, f"{worker.base_url}/health/live", seconds=60)
    return worker


class Workers:
    """Starts instances of the service in one folder, and stops those that still run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Worker] = []

    def start(self, variables: Variables, *, port: int | None = None, clock: Sequence[str] = ()) -> Worker:
        worker = start_worker(self._folder, variables, port=port, clock=clock)
        self._started.append(worker)
        return worker

    def stop(self) -> None:
        for worker in self._started:
            worker.stop()


def gateway(variables: Variables, *arguments: str, clock: Sequence[str] = ()) -> str:
    """What `python -m gateway …` prints; the command must succeed."""
    done = subprocess.run(  # noqa: S603  # this project's own program
        [sys.executable, *([str(CLOCKED), *clock] if clock else ["-m"]), "gateway", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Client:
    client_id: str
    secret: str
    secret_id: str


@asynccontextmanager
async def open_service(variables: Variables) -> AsyncIterator[Service]:
    """The service in this process, on the same storage and keys: what the command line would use."""
    fields: dict[str, Any] = {name.lower(): value for name, value in variables.items()}
    service = Service(Settings(**fields))
    try:
        await service.registry.ensure_tables()
        await service.keys.ensure()
        yield service
    finally:
        await service.close()


async def register(service: Service, fhir_urls: Sequence[str], **client: object) -> tuple[Client, list[str]]:
    """A client that may use every tenant, and a tenant for each FHIR server."""
    tenants = [await register_tenant(service, f"Hospital {number}", url) for number, url in enumerate(fhir_urls)]
    new = ClientNew.model_validate({"name": "Patients app", "tenants": "*", **client})
    _, made = await service.operations.clients.create(BY, new)
    assert made.client_secret is not None
    assert made.secret_id is not None
    return Client(made.client_id, made.client_secret, made.secret_id), tenants


async def register_tenant(service: Service, name: str, fhir_url: str, **fields: object) -> str:
    tenant_id = str(uuid4())
    document = {"tenant_id": tenant_id, "name": name, "fhir_url": fhir_url, "fhir_version": "r4", **fields}
    tenant = await service.operations.tenants.prepared(TenantNew.model_validate(document))
    await service.operations.tenants.add(BY, tenant)
    return tenant_id
