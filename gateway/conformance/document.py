"""The report as JSON: the shape of `report.schema.json`, which docs/conformance.md describes."""

from pathlib import Path
from typing import Any

from gateway.conformance.latency import BOUNDS_MILLISECONDS, histogram, percentile
from gateway.conformance.verdicts import Call, Report, Result, SideResult

VERSION = 1
SCHEMA = Path(__file__).parent / "report.schema.json"


def to_document(report: Report) -> dict[str, Any]:
    """Everything but `timing` is the same for two runs on the same server."""
    subject = report.subject
    return {
        "version": VERSION,
        "verdict": report.verdict.value,
        "counts": report.counts(),
        "subject": {
            "fhir_url": subject.fhir_url,
            "fhir_version": subject.fhir_version,
            "face": subject.face,
            "auth": subject.auth,
            "system": subject.system,
            **({"tenant_id": subject.tenant_id, "name": subject.name} if subject.tenant_id else {}),
        },
        "checks": [_check(result) for result in report.results],
        "system": {
            "proposed": report.proposal.system,
            "configured": report.proposal.configured,
            "abilities": report.proposal.abilities,
            "differences": list(report.proposal.differences),
        },
        "requests": {"limit": report.request_limit, **report.requests},
        "timing": {
            "started": report.timing.started,
            "seconds": round(report.timing.seconds, 3),
            "hops": [{"name": hop.name, "ms": round(hop.milliseconds, 2)} for hop in report.timing.hops],
            "calls": [_call(call) for call in report.timing.calls],
        },
    }


def _check(result: Result) -> dict[str, Any]:
    check = result.check
    return {
        "id": check.id,
        "title": check.title,
        "requirement": check.requirement,
        "severity": check.severity.value,
        "status": result.status.value,
        "server": _side(result.server),
        "gateway": None if result.gateway is None else _side(result.gateway),
        "remedy": result.remedy,
        "mend": result.mend,
    }


def _side(side: SideResult) -> dict[str, Any]:
    seen: dict[str, Any] = {"status": side.status.value, "sent": list(side.sent), "found": list(side.found)}
    return {**seen, "examples": list(side.examples)} if side.examples else seen


def _call(call: Call) -> dict[str, Any]:
    bounds = [*BOUNDS_MILLISECONDS, None]
    bars = histogram(call.milliseconds)
    return {
        "side": call.side,
        "call": call.name,
        "count": len(call.milliseconds),
        "p50_ms": round(percentile(call.milliseconds, 0.5), 2),
        "p95_ms": round(percentile(call.milliseconds, 0.95), 2),
        "max_ms": round(max(call.milliseconds), 2),
        "histogram": [{"up_to_ms": bound, "count": count} for bound, count in zip(bounds, bars, strict=True)],
    }
