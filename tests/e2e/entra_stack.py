"""A deployment of two instances behind https, whose people sign in with an OpenID provider that plays Entra."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.registry.secret_values import Pepper
from gateway.secrets import FileSecretStore
from gateway.tokens import Keys
from local import processes
from local.function_host import chosen_host, host_command, host_environment
from local.node import find_node
from local.places import REPOSITORY
from local.ports import free_port
from local.stack_file import Stack, read_stack
from tests.e2e import portal_walk
from tests.e2e.conftest import LocalCommand, own_environment
from tests.gateway.portal.certificates import Certificate, make_certificate

TENANT = "5b4c2f6e-3a52-4a0c-8d0a-6a3c1f0e9b11"
CLIENT = "d2719f51-8f0b-4a53-9b0e-0c9f5d1a7e22"
SECRET = "known-to-the-test-only"
TTL_SECONDS = 2


@dataclass(frozen=True)
class EntraStack:
    """`state` holds the keys that the instances share; `authority` is the provider's origin."""

    stack: Stack
    state: Path
    authority: str
    certificate: Certificate

    @property
    def base_url(self) -> str:
        return self.stack.base_url

    def pepper(self) -> Pepper:
        # In a thread of its own: Playwright's loop runs in this one.
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(lambda: asyncio.run(Keys(FileSecretStore(self.state / "keys")).pepper())).result()


@contextmanager
def entra_stack(folder: Path, run_local: LocalCommand) -> Iterator[EntraStack]:
    """Bring all of it up on free ports, and down again."""
    certificate, state = make_certificate(folder), folder / "state"
    front_port, authority_port, second_port = free_port(), free_port(), free_port()
    base_url, authority = f"https://localhost:{front_port}", f"https://localhost:{authority_port}"
    environment = own_environment(state) | {
        "PUBLIC_BASE_URL": base_url,
        "CACHE_TTL_SECONDS": str(TTL_SECONDS),
        "ENTRA_TENANT_ID": TENANT,
        "ENTRA_CLIENT_ID": CLIENT,
        "ENTRA_CLIENT_SECRET": SECRET,
        "ENTRA_AUTHORITY": f"{authority}/{TENANT}/v2.0",
        # The certificate is trusted as an operator would have it: by the environment of the process.
        "SSL_CERT_FILE": str(certificate.root),
        "REQUESTS_CA_BUNDLE": str(certificate.root),
    }
    served = {
        "CERTIFICATE": str(certificate.chain),
        "KEY": str(certificate.key),
        "TENANT": TENANT,
        "CLIENT_ID": CLIENT,
        "CLIENT_SECRET": SECRET,
        "GATEWAY": base_url,
        "INSTANCES": f"{environment['PORT']},{second_port}",
    }
    with ExitStack() as exits:
        packages = portal_walk.packages()
        for name, port in (("authority", authority_port), ("front", front_port)):
            program = processes.start(
                name,
                [find_node().node, packages / f"{name}.mjs"],
                log=folder / f"{name}.log",
                environment={**os.environ, **served, "PORT": str(port)},
                folder=packages,
            )
            exits.callback(processes.stop, program)
            _wait(program, port)
        exits.callback(run_local, "down", environment)
        up = run_local("up", environment)
        assert up.returncode == 0, up.stdout + up.stderr
        stack = read_stack(state)
        assert stack is not None
        host = chosen_host()
        second = processes.start(
            "second instance",
            host_command(host, second_port),
            log=folder / "second.log",
            environment=environment
            | host_environment(host)
            | {
                "TABLES_CONNECTION": stack.storage_connection_string,
                "LOCAL_KEYS_DIR": str(state / "keys"),
                "ALLOW_PRIVATE_UPSTREAMS": "true",
            },
            folder=REPOSITORY,
        )
        exits.callback(processes.stop, second)
        processes.wait_until_ready(second, f"http://127.0.0.1:{second_port}/health/ready", seconds=60)
        yield EntraStack(stack, state, authority, certificate)


def _wait(program: processes.Running, port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert processes.is_alive(program), Path(program.log).read_text()
        with suppress(OSError):
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"{program.name} does not listen: {Path(program.log).read_text()}")
