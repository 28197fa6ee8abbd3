"""Reads, batch, errors, media type and pace."""

from statistics import quantiles

from gateway.conformance.evidence import Evidence, Exchange
from gateway.conformance.paths import values
from gateway.conformance.verdicts import Check, Severity, Verdict, met, unmet, untested

_READS = "interface §3: direct references"
_BATCH = "interface §3: batch"
_NOT_THERE = (404, 410)
_SLOW_MILLISECONDS = 5_000
_TYPES = ("application/fhir+json", "application/json+fhir", "application/json", "text/json")
_LISTED = ("patient.search",)


def _read_patient(evidence: Evidence) -> Verdict:
    exchange = evidence.one("read-patient")
    if exchange is None:
        return untested("not asked")
    resource = exchange.resource or {}
    if exchange.ok and resource.get("resourceType") == "Patient":
        if resource.get("id") == exchange.request.patient:
            return met("the Patient of that id", sent=(exchange.sent,))
        return unmet("another Patient", sent=(exchange.sent,))
    return unmet(exchange.described(), sent=(exchange.sent,))


def _read_types(evidence: Evidence) -> Verdict:
    return _reads(evidence.of("read"), "nothing of the chart to read")


def _references(evidence: Evidence) -> Verdict:
    return _reads(evidence.of("reference"), "no references in the sample")


def _reads(asked: list[Exchange], nothing: str) -> Verdict:
    if not asked:
        return untested(nothing)
    sent = tuple(one.sent for one in asked)
    failed = [
        f"{name}: {one.described()}"
        for one in asked
        if (name := one.request.path.partition("/")[0])
        and not (one.ok and (one.resource or {}).get("resourceType") == name)
    ]
    return unmet(*failed, sent=sent) if failed else met(f"{len(asked)} type(s) read", sent=sent)


def _unknown(evidence: Evidence) -> Verdict:
    exchange = evidence.one("read-unknown")
    if exchange is None:
        return untested("not asked")
    sent = (exchange.sent,)
    outcome = (exchange.resource or {}).get("resourceType") == "OperationOutcome"
    if exchange.status in _NOT_THERE and outcome:
        return met(exchange.described(), sent=sent)
    return unmet(exchange.described(), sent=sent)


def _batch(evidence: Evidence) -> Verdict:
    exchange = evidence.one("batch")
    if exchange is None:
        return untested("not asked")
    if exchange.bundle is None or exchange.bundle.get("type") != "batch-response":
        found = exchange.described() if exchange.bundle is None else "a Bundle that is no batch-response"
        return unmet(found, sent=(exchange.sent,))
    return met("a batch-response", sent=(exchange.sent,))


def _batch_entries(evidence: Evidence) -> Verdict:
    exchange = evidence.one("batch")
    if exchange is None or exchange.bundle is None:
        return untested("not asked")
    sent = (exchange.sent,)
    asked = [str(entry["request"]["url"]) for entry in (exchange.request.body or {}).get("entry", [])]
    entries = exchange.bundle.get("entry")
    given = entries if isinstance(entries, list) else []
    if len(given) != len(asked):
        return unmet(f"{len(given)} entries for {len(asked)} requests", sent=sent)
    wrong = [
        url.partition("?")[0].partition("/")[0]
        for url, entry in zip(asked, given, strict=True)
        if not _answers(evidence, url, entry)
    ]
    if wrong:
        return unmet(f"the entries for {', '.join(wrong)} are not what a request of its own brings", sent=sent)
    return met(f"{len(asked)} entries, in order, as if asked one by one", sent=sent)


def _answers(evidence: Evidence, url: str, entry: object) -> bool:
    """Whether a batch entry is what the same request brought by itself."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    name = url.partition("?")[0].partition("/")[0]
    if "?" not in url:
        read = evidence.one("read-patient")
        failed = read is None or not read.ok
        return failed or (isinstance(resource, dict) and resource.get("resourceType") == name)
    kind = next((one for one in evidence.exchanges if one in _KINDS and evidence.resource_type(one) == name), "")
    alone = next((one for one in evidence.of(kind) if one.request.patient == _patient(evidence)), None)
    if alone is None or alone.bundle is None:
        return True  # fails by itself: its own check says so
    if not isinstance(resource, dict) or resource.get("resourceType") != "Bundle":
        return False
    inside = [one for one in values(resource, "entry.resource") if isinstance(one, dict)]
    found = [one for one in inside if one.get("resourceType") == name]
    return [one.get("id") for one in found] == [one.get("id") for one in alone.matches(name)]


_KINDS = frozenset({"observation", "condition", "encounter", "allergy", "medication", "coverage"})


def _patient(evidence: Evidence) -> str:
    exchange = evidence.one("batch")
    return exchange.request.patient if exchange else ""


def _media_type(evidence: Evidence) -> Verdict:
    answered = [one for one in evidence.all() if one.ok and one.request.probe != "metadata"]
    if not answered:
        return untested("nothing was answered")
    wrong = [one for one in answered if one.media_type not in _TYPES]
    if wrong:
        return unmet(f"Content-Type: not JSON for {len(wrong)} of {len(answered)} answers")
    return met("Content-Type: JSON")


def _pace(evidence: Evidence) -> Verdict:
    times = [one.milliseconds for one in evidence.all() if one.request.probe != "metadata"]
    if len(times) < 2:  # noqa: PLR2004  # a percentile takes two
        return untested("too few requests")
    if quantiles(times, n=20)[-1] > _SLOW_MILLISECONDS:
        return unmet(f"more than 5 % of the answers take longer than {_SLOW_MILLISECONDS // 1000} s")
    return met(f"95 % of the answers within {_SLOW_MILLISECONDS // 1000} s")


def _throttled(evidence: Evidence) -> Verdict:
    if evidence.throttled:
        return unmet("429: the server limits the rate of this run")
    return met("no 429")


SERVICE = (
    Check(
        "read.patient",
        "A Patient is read by id",
        _READS,
        Severity.MUST,
        _read_patient,
        "Support the read interaction of Patient.",
        _LISTED,
    ),
    Check(
        "read.types",
        "Every resource of the chart is read by id",
        _READS,
        Severity.MUST,
        _read_types,
        "Support the read interaction of these types.",
        _LISTED,
    ),
    Check(
        "read.references",
        "References to locations, people and medications lead somewhere",
        _READS,
        Severity.SHOULD,
        _references,
        "Serve the referenced resources, or give every reference a display.",
        _LISTED,
    ),
    Check(
        "read.unknown",
        "An unknown id is answered 404 with an OperationOutcome",
        _READS,
        Severity.SHOULD,
        _unknown,
        "Answer errors in FHIR JSON, not with the pages of a proxy.",
        _LISTED,
    ),
    Check(
        "batch",
        "A batch Bundle at the base URL is answered",
        _BATCH,
        Severity.MUST,
        _batch,
        "Support batch Bundles of reads and searches.",
        _LISTED,
    ),
    Check(
        "batch.entries",
        "The batch's answers are complete and in order",
        _BATCH,
        Severity.MUST,
        _batch_entries,
        "Answer a batch with one entry per request, in the order of the requests.",
        (*_LISTED, "batch"),
    ),
    Check(
        "media-type",
        "Answers are labelled as JSON",
        "interface §3",
        Severity.SHOULD,
        _media_type,
        "Send Content-Type application/fhir+json (DSTU2: application/json+fhir).",
        _LISTED,
    ),
    Check(
        "pace",
        "95 % of the answers come within 5 s",
        "interface §6",
        Severity.SHOULD,
        _pace,
        "Find the slow hop in the table of times.",
        _LISTED,
    ),
    Check(
        "rate",
        "The run is not throttled",
        "interface §6",
        Severity.SHOULD,
        _throttled,
        "Raise the rate limit for the gateway's client; the app asks for several resources at once.",
        _LISTED,
        server_only=True,
    ),
)
