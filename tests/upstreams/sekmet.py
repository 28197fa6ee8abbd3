"""sekmet-fhir: a real FHIR R4 server that this project did not write, with a SMART token endpoint that checks secrets
and assertions. It takes STU3 resources as well when it does not validate them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import requests

from local import processes
from local.ports import free_port
from tests.environments import environment_python

LOADER = ("loader", "loads-the-data")
_READY_SECONDS = 60
_BUNDLE_ENTRIES = 400


@dataclass(frozen=True)
class Sekmet:
    origin: str

    @property
    def base_url(self) -> str:
        return f"{self.origin}/fhir"

    @property
    def token_url(self) -> str:
        return f"{self.origin}/auth/token"

    def load(self, resources: list[dict[str, Any]]) -> None:
        """Put the resources as they are; their references need not resolve yet."""
        for start in range(0, len(resources), _BUNDLE_ENTRIES):
            entries = [
                {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
                for each in resources[start : start + _BUNDLE_ENTRIES]
            ]
            answer = requests.post(
                self.base_url,
                data=orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}),
                headers={"Content-Type": "application/fhir+json"},
                auth=LOADER,
                timeout=120,
            )
            answer.raise_for_status()
            refused = [each for each in answer.json()["entry"] if not each["response"]["status"].startswith("20")]
            assert not refused, refused[:1]


@contextmanager
def running_sekmet(folder: Path, smart_clients: list[dict[str, Any]]) -> Iterator[Sekmet]:
    """An empty server of its own in `folder`; `smart_clients` as sekmet's settings have them."""
    python = environment_python("sekmet")
    server = Sekmet(f"http://127.0.0.1:{free_port()}")
    settings = {
        "base_url": server.base_url,
        "host": "127.0.0.1",
        "port": int(server.origin.rpartition(":")[2]),
        "data_dir": str(folder / "data"),
        "db_path": str(folder / "sekmet.db"),
        "log_inbound": False,
        "simulator": {"enabled": False},
        "validation": {"inbound": "off"},
        "server_auth": {"types": ["smart", "basic"], "users": dict([LOADER]), "smart_clients": smart_clients},
    }
    config = folder / "settings.yaml"
    config.write_text(json.dumps(settings))  # JSON is YAML
    command = [str(python.parent / "sekmet"), "serve", "-c", str(config)]
    program = processes.start("sekmet", command, log=folder / "sekmet.log", environment={}, folder=folder)
    try:
        url = f"{server.base_url}/metadata"
        processes.wait_until_ready(program, url, seconds=_READY_SECONDS, statuses=range(200, 500))
        yield server
    finally:
        processes.stop(program)


def shared_resources(folder: Path) -> list[dict[str, Any]]:
    """Every resource of a folder of NDJSON files."""
    return [orjson.loads(line) for path in sorted(folder.glob("*.ndjson")) for line in path.read_bytes().splitlines()]
