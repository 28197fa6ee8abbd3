"""The app directory's two settings files: host.json (deployed) and local.settings.json (never)."""

import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.worker.errors import HostError


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What matters here of host.json's ``extensions.http``."""

    route_prefix: str = "api"
    custom_headers: tuple[tuple[str, str], ...] = ()


def read_host_settings(app_dir: Path) -> HostSettings:
    """Read host.json; raises HostError if it is missing, no JSON object or not of version 2.0."""
    path = app_dir / "host.json"
    if not path.is_file():
        raise HostError(f"{app_dir} holds no host.json: not the directory of a function app")
    content = _json_object(path)
    if content.get("version") != "2.0":
        raise HostError('host.json: "version" must be "2.0"')
    http = content.get("extensions", {}).get("http", {})
    return HostSettings(
        route_prefix=str(http.get("routePrefix", "api")).strip("/"),
        custom_headers=tuple((name, str(value)) for name, value in http.get("customHeaders", {}).items()),
    )


def apply_local_settings(app_dir: Path, environment: MutableMapping[str, str]) -> None:
    """Add the ``Values`` of local.settings.json, if there is one; what the environment has already wins.

    Raises HostError for an encrypted file and for values that are no strings.
    """
    path = app_dir / "local.settings.json"
    if not path.is_file():
        return
    content = _json_object(path)
    if content.get("IsEncrypted"):
        raise HostError("local.settings.json is encrypted; the local host reads plain ones only")
    for name, value in content.get("Values", {}).items():
        if not isinstance(value, str):
            raise HostError(f"local.settings.json: the value of {name} must be a string")
        environment.setdefault(name, value)


def _json_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise HostError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise HostError(f"{path.name} must hold a JSON object")
    return content
