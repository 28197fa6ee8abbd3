"""The programs that a benchmark starts: each on a free port of 127.0.0.1, each stopped by whoever started it."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from bench.resources import write_resources
from local import azurite, npm, processes
from local.function_host import HostName, host_command, host_environment
from local.interrupts import deferred
from local.node import Node, find_node
from local.places import REPOSITORY
from local.ports import free_port
from local.processes import Running

HERE = Path(__file__).parent
_NGINX = """\
worker_processes 1;
daemon off;
error_log stderr warn;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # A searchset fits, so that nothing is written to disk.
    proxy_buffers 16 64k;
    proxy_buffer_size 64k;
    proxy_busy_buffers_size 128k;
    proxy_max_temp_file_size 0;
    upstream hospital {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://hospital;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


class Programs:
    """Starts programs; leaving the context stops them all, the last one first."""

    def __init__(self, folder: Path, node: Node | None = None) -> None:
        """`folder` takes logs and settings."""
        self.folder = folder
        self._node = node or find_node()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stop(self, program: Running) -> None:
        """Stop one of them early."""
        processes.stop(program)

    def azurite(self) -> str:
        """Start Table Storage; returns its connection string."""
        azurite.install(self._node)
        port = free_port()
        with deferred():
            program = azurite.start(
                self._node, port=port, data=self.folder / "azurite", log=self.folder / "logs" / "azurite.log"
            )
            self._stack.callback(processes.stop, program)
        azurite.wait_until_ready(program, port)
        return azurite.connection_string(port)

    def upstream(self) -> tuple[Running, str]:
        """Start the fast FHIR server; returns it and its origin."""
        port = free_port()
        resources = self.folder / "resources"
        write_resources(resources, f"http://127.0.0.1:{port}")
        command: list[str | Path] = [self._node.node, HERE / "upstream.mjs", str(port), resources]
        program = self._start("upstream", command, {}, f"http://127.0.0.1:{port}/r4/Patient/1")
        return program, f"http://127.0.0.1:{port}"

    def function_app(
        self, host: HostName, app: Path, environment: Mapping[str, str], ready: str, port: int | None = None
    ) -> tuple[Running, str]:
        """Serve the function app in `app`; returns it and its origin once the path `ready` answers."""
        port = port or free_port()
        program = self.launch(host, app, environment, port)
        processes.wait_until_ready(program, f"http://127.0.0.1:{port}{ready}", seconds=60)
        return program, f"http://127.0.0.1:{port}"

    def launch(self, host: HostName, app: Path, environment: Mapping[str, str], port: int) -> Running:
        """Start to serve the function app in `app`, and return at once."""
        command = host_command(host, port)
        if host == "worker":
            command = [sys.executable, "-m", "local.worker", "--app", app, "--port", str(port)]
        folder = app if host == "func" else REPOSITORY
        return self._launch(f"{app.name}-{port}", command, {**environment, **host_environment(host)}, folder)

    def nginx(self, upstream: str) -> tuple[Running, str] | None:
        """Start nginx as a plain reverse proxy before `upstream`; None where it is not installed."""
        path = find_nginx()
        if path is None:
            return None
        folder, port = self.folder / "nginx", free_port()
        folder.mkdir()
        folder.chmod(0o755)
        text = _NGINX.format(folder=folder, port=port, upstream=upstream.removeprefix("http://"))
        (folder / "nginx.conf").write_text(text)
        url = f"http://127.0.0.1:{port}"
        command: list[str | Path] = [path, "-p", folder, "-c", folder / "nginx.conf"]
        return self._start("nginx", command, {}, f"{url}/r4/Patient/1"), url

    def peer(self, settings: Mapping[str, Any]) -> tuple[Running, str]:
        """Start the Node proxy of `bench/peer`, with these settings and a port of its own."""
        port = free_port()
        path = self.folder / "peer.json"
        path.write_text(json.dumps({**settings, "port": port}))
        home = npm.kept(self._node, HERE / "peer", "bench-peer")
        url = f"http://127.0.0.1:{port}"
        environment = {"NODE_ENV": "production"}
        command: list[str | Path] = [self._node.node, home / "server.mjs", path]
        return self._start("peer", command, environment, f"{url}/fhir/", statuses=range(401, 402)), url

    def _start(
        self,
        name: str,
        command: list[str | Path],
        environment: Mapping[str, str],
        ready: str,
        statuses: range = range(200, 300),
    ) -> Running:
        program = self._launch(name, command, environment, REPOSITORY)
        processes.wait_until_ready(program, ready, seconds=60, statuses=statuses)
        return program

    def _launch(self, name: str, command: list[str | Path], environment: Mapping[str, str], folder: Path) -> Running:
        log = self.folder / "logs" / f"{name}.log"
        with deferred():
            program = processes.start(name, command, log=log, environment={**os.environ, **environment}, folder=folder)
            self._stack.callback(processes.stop, program)
        return program


def find_nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
