"""Lists as Azure's REST APIs have them: `value`, and `nextLink` while there is more."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.manage.documents import ClientView, SecretView, TenantView
from gateway.registry.models import Guid, Model


class Listed(Model):
    nextLink: str | None = None  # noqa: N815  # Azure's name
    """Where the next page is; absent on the last one."""


class TenantPage(Listed):
    value: tuple[TenantView, ...]


class ClientPage(Listed):
    value: tuple[ClientView, ...]


class SecretList(Listed):
    value: tuple[SecretView, ...]


class AuditEntry(Model):
    """One row of the audit trail. `before` and `after` hold the fields that differ, never a secret."""

    sequence: Annotated[int, Field(ge=1)]
    at: datetime
    actor: str
    via: Literal["api", "cli", "portal", "setup"]
    correlation_id: str
    action: str
    outcome: Literal["intended", "failed", "uncertain"]
    hash: str
    tenant_id: Guid | None = None
    client_id: Guid | None = None
    of: int | None = None
    """Of an entry that tells what became of another: that other's sequence."""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class AuditPage(Listed):
    value: tuple[AuditEntry, ...]
