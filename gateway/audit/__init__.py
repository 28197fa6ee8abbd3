"""Who changed what in the registry, when: rows that are only ever added, chained by a keyed hash (ADR 0012).

A row is written before the change that it tells of, so that no change is ever without one. When the change then does
not take place, a second row says so. `verify` finds rows that were altered or removed, and registry rows that are not
what the newest audit row left them as.
"""

from gateway.audit.entries import By, Change, Entry
from gateway.audit.trail import AuditTrail
from gateway.audit.verify import Finding, verify

__all__ = ["AuditTrail", "By", "Change", "Entry", "Finding", "verify"]
