import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.audit.entries import FIRST_PREVIOUS, Entry, head_seal, read_entry, row_hash, row_key, state_of, timestamp
from gateway.audit.trail import AuditTrail, Head
from gateway.registry import Registry
from gateway.registry.secret_values import Pepper

type Subject = tuple[str, str]
"""`tenant` or `client`, and its id."""

_UNDER_WAY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as the trail says; `sequence` is the entry concerned, None when none is."""

    sequence: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found; no findings: everything fits. `entries` rows were read, up to `head`."""

    entries: int
    head: Head
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Subjects:
    """For each tenant and client, the states that the trail allows: that of its newest entry, and older ones as long
    as the newest is uncertain or may still be under way. An empty state stands for `there is none`.
    """

    at: datetime
    states: dict[Subject, set[str]] = field(default_factory=dict)
    settled: set[Subject] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)
    uncertain: set[int] = field(default_factory=set)

    def see(self, entry: Entry) -> None:
        """Take entries the newest first."""
        if entry.outcome != "intended":
            if entry.of is not None:
                (self.failed if entry.outcome == "failed" else self.uncertain).add(entry.of)
            return
        subject = subject_of(entry)
        if subject is None or subject in self.settled or entry.sequence in self.failed:
            return
        self.states.setdefault(subject, set()).add(entry.change.state)
        if entry.sequence not in self.uncertain and self.at - entry.at > _UNDER_WAY:
            self.settled.add(subject)

    def allows(self, subject: Subject, state: str) -> bool:
        if subject not in self.settled and not state:
            return True  # its first entry is not settled: it may not have come to exist
        return state in self.states.get(subject, ())


async def verify(
    trail: AuditTrail,
    registry: Registry,
    pepper: Pepper,
    *,
    anchor: tuple[int, str] | None = None,
    at: datetime | None = None,
) -> Report:
    """Read the whole trail and the whole registry, and tell what does not fit: altered, removed and added audit rows,
    and tenants or clients that are not what the trail left them as.

    `anchor` is the sequence and hash of an entry noted earlier, from a log or an earlier run: that entry must still be
    there. Raises StorageUnavailable.
    """
    head = await trail.head()
    subjects = _Subjects(at or datetime.now(UTC))
    findings = _head_findings(head, pepper)
    newer: Any = None
    count = 0
    async for row in trail.rows(head.sequence):
        if not row["RowKey"].isdecimal():
            findings.append(Finding(None, "A row was added whose key is none of the trail's."))
            continue
        count += 1
        findings += _link_findings(row, newer, head) + _row_findings(row, pepper)
        entry = _read(row)
        if entry is not None:
            subjects.see(entry)
            if anchor and anchor[0] == entry.sequence and anchor[1] != entry.hash:
                findings.append(Finding(entry.sequence, "This entry is not the one that the anchor names."))
        newer = row
    if head.sequence and (newer is None or newer["RowKey"] != row_key(1) or newer["previous"] != FIRST_PREVIOUS):
        findings.append(Finding(1, "The oldest entries are missing."))
    if anchor and anchor[0] > head.sequence:
        findings.append(Finding(anchor[0], "The trail ends before the entry that the anchor names."))
    findings += await _registry_findings(trail, head, registry, subjects)
    return Report(count, head, tuple(findings))


def subject_of(entry: Entry) -> Subject | None:
    """The registry row that the entry is about; None: no row (a signing key)."""
    if entry.change.tenant_id:
        return "tenant", entry.change.tenant_id
    return ("client", entry.change.client_id) if entry.change.client_id else None


def _head_findings(head: Head, pepper: Pepper) -> list[Finding]:
    if not head.sequence:
        return []
    try:
        seal = head_seal(head.sequence, head.hash, pepper, head.key)
    except KeyError:
        return [Finding(head.sequence, f"The pepper of version {head.key}, which seals the head, is gone.")]
    fits = hmac.compare_digest(seal, head.seal)
    return [] if fits else [Finding(head.sequence, "The chain's head was altered or set back.")]


def _link_findings(row: Any, newer: Any, head: Head) -> list[Finding]:  # noqa: ANN401  # the SDK's TableEntity
    """Between this row and the newer one above it, or the head."""
    expected_key, expected_hash = (
        (row_key(head.sequence), head.hash)
        if newer is None
        else (f"{int(newer['RowKey']) + 1:010d}", newer.get("previous"))
    )
    if row["RowKey"] != expected_key:
        newest, oldest = _sequence(expected_key), _sequence(row["RowKey"]) + 1
        return [Finding(newest, f"The entries from {oldest} to {newest} were removed.")]
    if row.get("hash") != expected_hash:
        return [Finding(_sequence(row["RowKey"]), "This entry is not the one that its successor was chained to.")]
    return []


def _row_findings(row: Any, pepper: Pepper) -> list[Finding]:  # noqa: ANN401  # the SDK's TableEntity
    sequence = _sequence(row["RowKey"])
    entry = _read(row)
    if entry is None:
        return [Finding(sequence, "This entry was altered.")]
    try:
        expected = row_hash(row, row["previous"], pepper, entry.key)
        fits = (
            hmac.compare_digest(expected, row["hash"])
            and entry.sequence == sequence
            and row["at"] == timestamp(entry.at)
            and row["tenant_id"] == entry.change.tenant_id
            and row["client_id"] == entry.change.client_id
        )
    except KeyError:  # also a column that is gone, or a pepper version
        fits = False
    return [] if fits else [Finding(sequence, "This entry was altered.")]


def _read(row: Any) -> Entry | None:  # noqa: ANN401  # the SDK's TableEntity
    try:
        return read_entry(row)
    except (ValueError, KeyError, TypeError):
        return None


def _sequence(key: str) -> int:
    return int(row_key(0)) - int(key)


async def _registry_findings(trail: AuditTrail, head: Head, registry: Registry, subjects: _Subjects) -> list[Finding]:
    wrong: dict[Subject, str] = {}
    missing = {subject for subject in subjects.states if not subjects.allows(subject, "")}
    async for subject, state in _registered(registry):
        missing.discard(subject)
        if subject not in subjects.states:
            wrong[subject] = "made"
        elif not subjects.allows(subject, state):
            wrong[subject] = "changed"
    wrong |= dict.fromkeys(missing, "removed")
    # What changed while this was reading is not wrong: its entries are newer than the head that was read first.
    now = await trail.head()
    if wrong and now.sequence > head.sequence:
        async for row in trail.rows(now.sequence, head.sequence + 1):
            if (entry := _read(row)) is not None and (changed := subject_of(entry)) is not None:
                wrong.pop(changed, None)
    return [
        Finding(None, f"The {kind} {key} was {what} without an audit entry.")
        for (kind, key), what in sorted(wrong.items())
    ]


async def _registered(registry: Registry) -> AsyncIterator[tuple[Subject, str]]:
    async for kind, key, document in registry.documents():
        yield (kind, key), state_of(document)
