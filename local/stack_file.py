"""`.local/stack.json`: how other programs find a running stack. And what of it outlives a stop."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DemoClient:
    """The client that plays the Patients app, with its secret in clear: for a developer's machine only."""

    client_id: str
    client_secret: str
    name: str


@dataclass(frozen=True)
class DemoTenant:
    """One tenant of the demo and the sandbox hospital behind it; `fhir_version` is dstu2, stu3 or r4."""

    tenant_id: str
    name: str
    fhir_version: str
    fhir_url: str


@dataclass(frozen=True)
class Stack:
    """What `.local/stack.json` says. `portal_url` and `management_token` are None where there is neither."""

    base_url: str
    storage_connection_string: str
    clients: tuple[DemoClient, ...]
    tenants: tuple[DemoTenant, ...]
    portal_url: str | None = None
    management_token: str | None = None

    @property
    def fhir_base_url(self) -> str:
        """The base URL without a version; `/dstu2`, `/stu3` and `/r4` may follow it."""
        return f"{self.base_url}/fhir"

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return f"{self.base_url}/oauth2/token"


def stack_path(state: Path) -> Path:
    """Where the stack of the state folder `state` describes itself."""
    return state / "stack.json"


def write_stack(state: Path, stack: Stack) -> None:
    """Write `stack.json`, for its owner only."""
    urls = {"base_url": stack.base_url, "fhir_base_url": stack.fhir_base_url, "token_url": stack.token_url}
    write_private(stack_path(state), urls | asdict(stack))


def read_stack(state: Path) -> Stack | None:
    """What `write_stack` wrote; None when there is no such file."""
    fields = read_json(stack_path(state))
    if fields is None:
        return None
    return Stack(
        base_url=fields["base_url"],
        storage_connection_string=fields["storage_connection_string"],
        clients=tuple(DemoClient(**client) for client in fields["clients"]),
        tenants=tuple(DemoTenant(**tenant) for tenant in fields["tenants"]),
        portal_url=fields["portal_url"],
        management_token=fields["management_token"],
    )


def remember_client(state: Path, client: DemoClient) -> None:
    """Keep the demo client's secret for the next start: it cannot be read back from its hash."""
    write_private(state / "demo-client.json", asdict(client))


def remembered_client(state: Path) -> DemoClient | None:
    """The client of an earlier start, if there was one."""
    fields = read_json(state / "demo-client.json")
    return None if fields is None else DemoClient(**fields)


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Replace `path` by `content` as JSON in one step, readable by its owner alone from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(content, indent=2) + "\n")
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`; None when there is no such file."""
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return content
