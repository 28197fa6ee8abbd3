"""Azurite, three sandbox hospitals and the function app, started together and stopped together."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gateway.settings import Settings, SettingsError, load_settings
from local import azurite, processes
from local.failure import LocalFailure
from local.function_host import chosen_host, host_command, host_environment
from local.interrupts import deferred
from local.node import find_node
from local.places import REPOSITORY, state_folder
from local.ports import free_port, require_free
from local.processes import Running
from local.running import record_path, take_down
from local.sandbox.hospitals import load_hospitals
from local.seed import UpstreamHospital, operator_token, portal_link, seed
from local.stack_file import Stack, write_stack

READY_SECONDS = {"func": 180.0, "worker": 60.0}

PORTS = range(1, 65_536)

type Report = Callable[[str], None]
"""Told one line of progress at a time."""


def bring_up(report: Report) -> Stack:
    """Start everything, seed the registry, write stack.json; returns once `/health/ready` answers 200.

    Raises LocalFailure, with everything stopped again, when anything is in the way. What a crashed stack left
    behind is stopped first.
    """
    take_down()
    start = _Start(state_folder(), report)
    try:
        return start.everything()
    except BaseException:
        take_down()
        raise


@dataclass
class _Start:
    state: Path
    report: Report
    programs: list[Running] = field(default_factory=list)

    def everything(self) -> Stack:
        host = chosen_host()
        port, table_port = _port("PORT", 7071), _port("AZURITE_TABLE_PORT", 10002)
        own_storage = not any(os.environ.get(name) for name in _STORAGE_ELSEWHERE)
        environment = self._app_environment(port, table_port if own_storage else None)
        settings = _settings(environment)
        require_free(port, "PORT", "the function app")
        if own_storage:
            require_free(table_port, "AZURITE_TABLE_PORT", "Azurite")
            self._azurite(table_port)
        hospitals = self._hospitals()
        self.report("registering the demo's client and tenants…")
        client, tenants = asyncio.run(seed(settings, self.state, hospitals))
        self._launch(
            f"function app ({host})",
            host_command(host, port),
            environment | host_environment(host),
            ready=f"http://localhost:{port}/health/ready",
            seconds=READY_SECONDS[host],
        )
        stack = Stack(
            base_url=settings.base_url,
            storage_connection_string=environment.get("TABLES_CONNECTION", ""),
            clients=(client,),
            tenants=tenants,
            management_token=asyncio.run(operator_token(settings)),
            # The link is for a stack without a Key Vault; with one, the portal refuses it.
            portal_url=None if settings.key_vault_url else asyncio.run(portal_link(settings)),
        )
        write_stack(self.state, stack)
        return stack

    def _app_environment(self, port: int, table_port: int | None) -> dict[str, str]:
        demo = {
            "PUBLIC_BASE_URL": f"http://localhost:{port}",
            "ALLOW_PRIVATE_UPSTREAMS": "true",
            "LOCAL_KEYS_DIR": str(self.state / "keys"),
        }
        if table_port is not None:
            demo["TABLES_CONNECTION"] = azurite.connection_string(table_port)
        return demo | {name: value for name, value in os.environ.items() if value or name not in demo}

    def _azurite(self, port: int) -> None:
        node = find_node()
        if not azurite.is_installed():
            self.report("installing Azurite (once, about a quarter of a minute)…")
        azurite.install(node)
        began = time.monotonic()
        with deferred():
            program = azurite.start(
                node, port=port, data=self.state / "azurite-data", log=self.state / "logs" / "azurite.log"
            )
            self._remember(program)
        azurite.wait_until_ready(program, port)
        self._say_ready("Azurite", f"on port {port}", began)

    def _hospitals(self) -> list[UpstreamHospital]:
        upstreams = []
        for hospital in load_hospitals():
            port = free_port()
            self._launch(
                f"hospital {hospital.name}",
                [sys.executable, "-m", "local.sandbox", hospital.name, "--port", str(port)],
                dict(os.environ),
                ready=f"http://127.0.0.1:{port}{hospital.base_path}/metadata",
                seconds=30,
            )
            upstreams.append(UpstreamHospital(hospital, f"http://127.0.0.1:{port}"))
        return upstreams

    def _launch(
        self, name: str, command: list[str | Path], environment: dict[str, str], *, ready: str, seconds: float
    ) -> None:
        began = time.monotonic()
        log = self.state / "logs" / f"{name.partition(' (')[0].replace(' ', '-')}.log"
        with deferred():
            self._remember(
                program := processes.start(name, command, log=log, environment=environment, folder=REPOSITORY)
            )
        processes.wait_until_ready(program, ready, seconds=seconds)
        self._say_ready(name, ready, began)

    def _remember(self, program: Running) -> None:
        self.programs.append(program)
        processes.write_record(record_path(self.state), self.programs)

    def _say_ready(self, name: str, where: str, began: float) -> None:
        self.report(f"{name} ready {where} ({time.monotonic() - began:.1f} s)")


_STORAGE_ELSEWHERE = ("TABLES_CONNECTION", "TABLES_CONNECTION__tableServiceUri")


def _port(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or int(text) not in PORTS:
        raise LocalFailure(f"{variable} must be a port number from 1 to 65535, not {text!r}")
    return int(text)


def _settings(environment: dict[str, str]) -> Settings:
    """Check the app's settings before anything starts: the app would only say it in its log."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        return load_settings()
    except SettingsError as error:
        raise LocalFailure(str(error)) from None
    finally:
        os.environ.clear()
        os.environ.update(before)
