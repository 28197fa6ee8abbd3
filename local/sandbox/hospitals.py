"""The three sandbox hospitals: what each `hospitals/<name>/hospital.toml` says, as frozen records."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

type Version = Literal["dstu2", "stu3", "r4"]

HOSPITALS_FOLDER = Path(__file__).parent / "hospitals"


@dataclass(frozen=True)
class OpenAccess:
    """Nobody is asked who they are."""

    kind: Literal["open"] = "open"


@dataclass(frozen=True)
class ApiKeyAccess:
    """A static key in a request header. The key is a sandbox credential and guards fictional data only."""

    header: str
    key: str
    kind: Literal["api_key"] = "api_key"


@dataclass(frozen=True)
class OAuthAccess:
    """Bearer tokens from the hospital's own token endpoint (RFC 6749 section 4.4).

    `token_path` is relative to the server's root, `token_lifetime` is in seconds. The secret is a sandbox
    credential and guards fictional data only.
    """

    token_path: str
    client_id: str
    client_secret: str
    token_lifetime: int
    kind: Literal["oauth"] = "oauth"


type Access = OpenAccess | ApiKeyAccess | OAuthAccess


@dataclass(frozen=True)
class Hospital:
    """One hospital and how its FHIR server behaves.

    `base_path` starts with a slash and has none at its end; `port` is the one taken unless another is asked
    for; `batch` and `sort` say what the server can do beyond plain reads and searches.
    """

    name: str
    display_name: str
    tenant_id: str
    version: Version
    port: int
    base_path: str
    mrn_system: str
    page_size: int
    batch: bool
    sort: bool
    access: Access

    @property
    def folder(self) -> Path:
        """Where the hospital's NDJSON files stand, one per resource type."""
        return HOSPITALS_FOLDER / self.name


def load_hospital(name: str) -> Hospital:
    """Return the hospital of that folder name; FileNotFoundError when there is none."""
    settings = tomllib.loads((HOSPITALS_FOLDER / name / "hospital.toml").read_text("utf-8"))
    return Hospital(name=name, access=_access(settings.pop("access")), **settings)


def load_hospitals() -> tuple[Hospital, ...]:
    """Return all hospitals, in the order of their names."""
    return tuple(load_hospital(path.parent.name) for path in sorted(HOSPITALS_FOLDER.glob("*/hospital.toml")))


def _access(settings: Mapping[str, Any]) -> Access:
    match settings["kind"]:
        case "open":
            return OpenAccess()
        case "api_key":
            return ApiKeyAccess(**settings)
        case "oauth":
            return OAuthAccess(**settings)
    raise ValueError(f"unknown kind of access: {settings['kind']}")
