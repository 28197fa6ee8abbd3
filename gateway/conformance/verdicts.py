"""What a check is, and what comes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.conformance.evidence import Evidence


class Severity(StrEnum):
    """MUST: the app does not work without it. SHOULD: the app shows less, or the gateway has more to do."""

    MUST = "must"
    SHOULD = "should"


class Status(StrEnum):
    PASS = "pass"  # noqa: S105  # a verdict
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


class State(StrEnum):
    """How far what came back meets the requirement; the status follows from it, the severity and the remedy."""

    MET = "met"
    PARTLY = "partly"
    UNMET = "unmet"
    UNTESTED = "untested"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check saw on one side: FHIRPaths and counts in `found`, requests with placeholders in `sent`.

    `beside`: what the app reads is absent, but stands in another element that the gateway reads. `examples` holds
    patients' values: it leaves the process only where the caller asked for values.
    """

    state: State
    found: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    beside: str = ""
    examples: tuple[str, ...] = ()


def met(*found: str, sent: Sequence[str] = (), examples: Sequence[str] = ()) -> Verdict:
    return Verdict(State.MET, found, tuple(sent), examples=tuple(examples))


def partly(*found: str, sent: Sequence[str] = (), examples: Sequence[str] = (), beside: str = "") -> Verdict:
    return Verdict(State.PARTLY, found, tuple(sent), beside, tuple(examples))


def unmet(*found: str, sent: Sequence[str] = (), beside: str = "") -> Verdict:
    return Verdict(State.UNMET, found, tuple(sent), beside)


def untested(why: str, sent: Sequence[str] = ()) -> Verdict:
    return Verdict(State.UNTESTED, (why,), tuple(sent))


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement and the test of it.

    `requirement` is the section of the app's interface; `needs` are the checks without which this one can tell
    nothing; `mend` says what the server's owner can do. `server_only`: nothing to see through the gateway, and
    `gateway_only`: nothing the server alone is ever asked.
    """

    id: str
    title: str
    requirement: str
    severity: Severity
    test: Callable[["Evidence"], Verdict]
    mend: str
    needs: tuple[str, ...] = ()
    server_only: bool = False
    gateway_only: bool = False


@dataclass(frozen=True, slots=True)
class SideResult:
    """One check on one side: the server alone, or through the gateway."""

    status: Status
    found: tuple[str, ...]
    sent: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One check of a run. `status` is what counts: through the gateway where there is one, else the server alone.

    `remedy` is what the gateway does, or would do, about a server that does not meet the requirement; `mend` what the
    server's owner can do, in terms of its own FHIR version.
    """

    check: Check
    status: Status
    server: SideResult
    gateway: SideResult | None = None
    remedy: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """How often one kind of request was sent, and how long (ms) each took."""

    side: str
    name: str
    milliseconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Hop:
    name: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Timing:
    """All of a report that differs from run to run."""

    started: str
    seconds: float
    hops: tuple[Hop, ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What was checked; `face` is the FHIR version that the app will see."""

    fhir_url: str
    fhir_version: str
    face: str
    auth: str
    system: str
    tenant_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The dialect profile that fits what the server showed, and where the configured one does not."""

    system: str
    configured: str
    abilities: dict[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    subject: Subject
    results: tuple[Result, ...]
    proposal: Proposal
    requests: dict[str, int]
    request_limit: int
    timing: Timing

    @property
    def verdict(self) -> Status:
        """FAIL when a must fails, WARN when anything is left to mend, else PASS."""
        found = {result.status for result in self.results}
        return next((status for status in (Status.FAIL, Status.WARN) if status in found), Status.PASS)

    def counts(self) -> dict[str, int]:
        return {status.value: sum(result.status is status for result in self.results) for status in Status}
