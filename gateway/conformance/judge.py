"""Evidence becomes results: every check on one side, then both sides side by side."""

from collections.abc import Mapping, Sequence

from gateway.conformance.checks import checks_for
from gateway.conformance.evidence import Evidence
from gateway.conformance.remedies import Remedy, remedy_for
from gateway.conformance.verdicts import Check, Result, Severity, SideResult, State, Status, Verdict, untested
from gateway.upstream.systems import SystemProfile

_NOT_ASKED = "not asked"
_LIMIT = "not asked: the limit of requests was reached"


def judge(evidence: Evidence) -> dict[str, Verdict]:
    """The verdict of every check on one side, by id, in the order of the report."""
    verdicts: dict[str, Verdict] = {}
    for check in checks_for(evidence.version):
        verdicts[check.id] = _verdict(check, evidence, verdicts)
    return verdicts


def _verdict(check: Check, evidence: Evidence, earlier: Mapping[str, Verdict]) -> Verdict:
    if check.server_only and evidence.side == "gateway":
        return untested("a matter of the server alone")
    for needed in check.needs:
        verdict = earlier.get(needed)
        if verdict is not None and verdict.state is State.UNMET:
            return untested(f"cannot be told: see {needed}")
        if verdict is not None and verdict.state is State.UNTESTED and _stopped(verdict):
            return untested(verdict.found[0])
    verdict = check.test(evidence)
    if verdict.state is State.UNTESTED and evidence.limit_reached and verdict.found[0] == _NOT_ASKED:
        return untested(_LIMIT)
    return verdict


def _stopped(verdict: Verdict) -> bool:
    """Whether a check went untested because of an earlier one, and not because there was nothing to test."""
    return verdict.found[0].startswith("cannot be told") or verdict.found[0] in (_NOT_ASKED, _LIMIT)


def side_by_side(
    server: Evidence,
    server_verdicts: Mapping[str, Verdict],
    gateway: tuple[Evidence, Mapping[str, Verdict]] | None,
    profile: SystemProfile,
    *,
    show_values: bool,
) -> tuple[Result, ...]:
    """A result for every check of either side. What is seen through the gateway counts, where it can be seen there."""
    alone_checks = {check.id: check for check in checks_for(server.version)}
    # The face's wording where there is one: that is what the app reads.
    faced = {check.id: check for check in checks_for(gateway[0].version)} if gateway else alone_checks
    by_id = alone_checks | faced
    results = []
    for check in by_id.values():
        alone = server_verdicts.get(check.id, untested("not a matter of this FHIR version"))
        remedy = remedy_for(check.id, alone, profile, server) if alone.state in (State.UNMET, State.PARTLY) else None
        server_side = _side(check, alone, remedy, show_values=show_values)
        through = None
        if gateway is not None:
            seen = gateway[1].get(check.id, untested("not a matter of the face's FHIR version"))
            through = _side(check, seen, None, show_values=show_values)
        seen_there = through is not None and (through.status is not Status.SKIPPED or check.id not in faced)
        counts = through if through is not None and seen_there else server_side
        mend = alone_checks.get(check.id, check).mend
        results.append(Result(check, counts.status, server_side, through, remedy.text if remedy else "", mend))
    return tuple(results)


def _side(check: Check, verdict: Verdict, remedy: Remedy | None, *, show_values: bool) -> SideResult:
    status = _status(check, verdict, remedy)
    return SideResult(status, verdict.found, verdict.sent, verdict.examples if show_values else ())


def _status(check: Check, verdict: Verdict, remedy: Remedy | None) -> Status:
    match verdict.state:
        case State.MET:
            return Status.PASS
        case State.UNTESTED:
            return Status.SKIPPED
        case State.PARTLY:
            return Status.WARN
        case State.UNMET:
            mended = remedy is not None and remedy.mends
            return Status.WARN if mended or check.severity is Severity.SHOULD else Status.FAIL


def ordered(results: Sequence[Result]) -> list[Result]:
    """What needs attention first, each in the order of the checks."""
    rank = {Status.FAIL: 0, Status.WARN: 1, Status.PASS: 2, Status.SKIPPED: 3}
    return sorted(results, key=lambda result: rank[result.status])
