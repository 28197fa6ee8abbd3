"""What an audit row says of a change: the fields before and after, without secrets."""

import hashlib
from collections.abc import Mapping
from typing import Any

from gateway.audit import Change
from gateway.audit.entries import state_of
from gateway.errors import Stale
from gateway.registry import Client, Stored, Tenant

type Document = dict[str, Any]


def tenant_change(action: str, before: Tenant | None, after: Tenant | None) -> Change:
    """At least one of both is a tenant."""
    subject = after or before
    assert subject is not None  # noqa: S101  # said above
    old, new = _differing(_tenant_facts(before), _tenant_facts(after))
    return Change(action, tenant_id=subject.tenant_id, before=old, after=new, state=_state(after))


def client_change(action: str, before: Client | None, after: Client | None) -> Change:
    """At least one of both is a client."""
    subject = after or before
    assert subject is not None  # noqa: S101  # said above
    old, new = _differing(_client_facts(before), _client_facts(after))
    return Change(action, client_id=subject.client_id, before=old, after=new, state=_state(after))


def _state(after: Tenant | Client | None) -> str:
    return "" if after is None else state_of(after.model_dump(mode="json"))


def public_etag(stored: Stored[Any]) -> str:
    """A strong ETag (RFC 9110 §8.8.3) for Table Storage's weak one, which If-Match could never match (§13.1.1)."""
    return f'"{hashlib.sha256(stored.etag.encode()).hexdigest()[:32]}"'


def require_match(stored: Stored[Any], if_match: str | None, what: str) -> None:
    """Raises Stale when `if_match` is given and names neither the row's ETag nor `*`."""
    if if_match is None:
        return
    named = {part.strip() for part in if_match.split(",")}
    if "*" not in named and public_etag(stored) not in named:
        raise Stale(f"The {what} was changed by somebody else in the meantime; read it again.")


def _tenant_facts(tenant: Tenant | None) -> Document | None:
    return None if tenant is None else tenant.model_dump(mode="json", exclude={"created", "updated"})


def _client_facts(client: Client | None) -> Document | None:
    if client is None:
        return None
    facts = client.model_dump(mode="json", exclude={"created": True, "updated": True, "secrets": {"__all__": {"hash"}}})
    # By id, so that a row about one secret holds that secret and no other.
    facts |= {f"secret {secret['secret_id']}": secret for secret in facts.pop("secrets")}
    return facts


def _differing(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Document | None, Document | None]:
    if before is None or after is None:
        return (None if before is None else dict(before)), (None if after is None else dict(after))
    changed = [name for name in (*before, *after) if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in changed if name in before},
        {name: after[name] for name in changed if name in after},
    )
