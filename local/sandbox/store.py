"""A hospital's resources in memory, read once from its NDJSON files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource with its serialised form and the HTTP dress of its one version."""

    type: str
    id: str
    content: Mapping[str, Any]
    body: bytes
    etag: str
    last_modified: str


class Store:
    """Resources by type and id; the order of a type is the order of its file."""

    def __init__(self, folder: Path) -> None:
        """Read every `*.ndjson` of the folder; a file is named after the type it holds."""
        self._by_type: dict[str, dict[str, Stored]] = {}
        for path in sorted(folder.glob("*.ndjson")):
            resources = (_stored(line) for line in path.read_bytes().splitlines())
            self._by_type[path.stem] = {resource.id: resource for resource in resources}

    @property
    def types(self) -> tuple[str, ...]:
        """The resource types the hospital holds, sorted."""
        return tuple(self._by_type)

    def get(self, resource_type: str, resource_id: str) -> Stored | None:
        """Return the resource, or None when the type or the id is unknown."""
        return self._by_type.get(resource_type, {}).get(resource_id)

    def all(self, resource_type: str) -> Iterator[Stored]:
        """Yield the resources of a type in stored order."""
        yield from self._by_type[resource_type].values()


def _stored(line: bytes) -> Stored:
    content = orjson.loads(line)
    meta = content["meta"]
    updated = datetime.fromisoformat(meta["lastUpdated"]).astimezone(UTC)
    return Stored(
        type=content["resourceType"],
        id=content["id"],
        content=content,
        body=line,
        etag=f'W/"{meta["versionId"]}"',
        last_modified=format_datetime(updated, usegmt=True),
    )
