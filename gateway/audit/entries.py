import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from gateway.registry.rows import property_text
from gateway.registry.secret_values import Pepper

type Document = dict[str, Any]
type Outcome = Literal["intended", "failed", "uncertain"]

PARTITION = "chain"
HEAD = "head"
PURPOSE = "audit chain"
FIRST_PREVIOUS = ""
_LAST_SEQUENCE = 9_999_999_999


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, and in which request: `actor` is an Entra object id with its readable name, the local
    operator token, or the account of a shell.
    """

    actor: str
    via: Literal["api", "cli", "portal", "setup"]
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is about to happen. `before` and `after` hold no secrets; of an update, only the fields that differ.

    `state` is the digest of the row that the change leaves, empty when it removes the row or concerns none.
    """

    action: str
    tenant_id: str = ""
    client_id: str = ""
    before: Document | None = None
    after: Document | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the trail. `outcome` is `intended` for the change itself; `failed` and `uncertain` rows tell, of the
    entry whose sequence is `of`, that its change did not take place or that nobody knows.
    """

    sequence: int
    at: datetime
    by: By
    change: Change
    outcome: Outcome = "intended"
    of: int | None = None
    key: str = ""
    """Version of the pepper that the row's hash is keyed with."""
    previous: str = FIRST_PREVIOUS
    hash: str = field(default="")

    def view(self) -> Document:
        """As the API and `audit list --json` show it."""
        shown: Document = {
            "sequence": self.sequence,
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "actor": self.by.actor,
            "via": self.by.via,
            "correlation_id": self.by.correlation_id,
            "action": self.change.action,
            "outcome": self.outcome,
            "hash": self.hash,
        }
        optional = {
            "tenant_id": self.change.tenant_id or None,
            "client_id": self.change.client_id or None,
            "of": self.of,
            "before": self.change.before,
            "after": self.change.after,
        }
        return shown | {name: value for name, value in optional.items() if value is not None}


def timestamp(at: datetime) -> str:
    """A time as the rows hold it: UTC to the millisecond, so that text compares as time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def row_key(sequence: int) -> str:
    """Counts downwards, because Table Storage lists upwards and the newest entry is wanted first."""
    return f"{_LAST_SEQUENCE - sequence:010d}"


def state_of(document: Mapping[str, Any]) -> str:
    """Digest of a registry row's whole document, hashes of secrets included, but for the time of its last change.

    Of the document as it is stored and not of a model, so that a later version's models change no digest.
    """
    content = {name: value for name, value in document.items() if name != "updated"}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(entry: Entry, pepper: Pepper) -> Document:
    """The entry's row. Raises Invalid when before or after is larger than a row may be."""
    lines = {
        "entry": property_text(_facts(entry), "The change"),
        "before": _text(entry.change.before),
        "after": _text(entry.change.after),
    }
    return {
        "PartitionKey": PARTITION,
        "RowKey": row_key(entry.sequence),
        "at": timestamp(entry.at),
        "tenant_id": entry.change.tenant_id,
        "client_id": entry.change.client_id,
        "previous": entry.previous,
        "hash": row_hash(lines, entry.previous, pepper, entry.key),
        **lines,
    }


def row_hash(lines: Mapping[str, str], previous: str, pepper: Pepper, version: str) -> str:
    """Raises KeyError when the pepper has no such version."""
    # None of the parts holds a line break (JSON escapes them), so that no two rows make the same text.
    text = "\n".join((previous, lines["entry"], lines["before"], lines["after"]))
    return hmac.digest(pepper.derived(PURPOSE, version), text.encode(), hashlib.sha256).hex()


def head_seal(sequence: int, last_hash: str, pepper: Pepper, version: str) -> str:
    """What keeps the head from being set back to an earlier entry. Raises KeyError."""
    return hmac.digest(pepper.derived(f"{PURPOSE} head", version), f"{sequence}\n{last_hash}".encode(), "sha256").hex()


def read_entry(row: Mapping[str, Any]) -> Entry:
    """Raises ValueError, KeyError or TypeError when the row is none that `sealed` made."""
    facts = json.loads(row["entry"])
    return Entry(
        sequence=int(facts["sequence"]),
        at=datetime.fromisoformat(facts["at"]),
        by=By(facts["actor"], facts["via"], facts["correlation_id"]),
        change=Change(
            action=facts["action"],
            tenant_id=facts["tenant_id"],
            client_id=facts["client_id"],
            before=json.loads(row["before"]) if row["before"] else None,
            after=json.loads(row["after"]) if row["after"] else None,
            state=facts["state"],
        ),
        outcome=facts["outcome"],
        of=facts["of"],
        key=facts["key"],
        previous=row["previous"],
        hash=row["hash"],
    )


def _facts(entry: Entry) -> Document:
    return {
        "sequence": entry.sequence,
        "at": timestamp(entry.at),
        "actor": entry.by.actor,
        "via": entry.by.via,
        "correlation_id": entry.by.correlation_id,
        "action": entry.change.action,
        "tenant_id": entry.change.tenant_id,
        "client_id": entry.change.client_id,
        "state": entry.change.state,
        "outcome": entry.outcome,
        "of": entry.of,
        "key": entry.key,
    }


def _text(document: Document | None) -> str:
    return "" if document is None else property_text(document, "The change")
