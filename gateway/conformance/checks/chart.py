"""The searches of a patient's chart: answered, about that patient, newest first, as many as asked for."""

from collections.abc import Callable
from dataclasses import replace

from gateway.conformance.evidence import Evidence, Exchange
from gateway.conformance.fields import KINDS, SECTIONS
from gateway.conformance.paths import Resource, values
from gateway.conformance.verdicts import Check, Severity, Verdict, met, unmet, untested
from gateway.upstream.sorting import SortKey, sort_value
from gateway.versions import FhirVersion

_OWNERS = ("patient.reference", "subject.reference", "beneficiary.reference", "subscriber.reference")
_NEWEST = SortKey("date", descending=True)
_COUNTED = ("condition", "medication")


def _answered(evidence: Evidence, kind: str) -> Verdict:
    asked = evidence.of(kind)
    if not asked:
        return untested("cannot be asked for in this version" if evidence.patients else "no Patient to ask about")
    sent = _sent(asked)
    failed = [one for one in asked if one.bundle is None]
    if failed:
        return unmet(*dict.fromkeys(one.described() for one in failed), sent=sent)
    found = sum(len(one.matches(evidence.resource_type(kind))) for one in asked)
    return met(f"{found} {evidence.resource_type(kind)}(s) of {len(asked)} Patient(s)", sent=sent)


def _own(evidence: Evidence, kind: str) -> Verdict:
    asked = evidence.of(kind)
    resource_type = evidence.resource_type(kind)
    strangers = found = 0
    for one in asked:
        for resource in one.matches(resource_type):
            found += 1
            strangers += not _concerns(resource, one.request.patient)
    if strangers:
        return unmet(f"{strangers} of {found} are not that Patient's", sent=_sent(asked))
    return met(f"all {found}", sent=_sent(asked)) if found else untested(f"no {resource_type} in the sample")


def _concerns(resource: Resource, patient: str) -> bool:
    """Whether a result is about the patient it was asked for; DSTU2's Coverage may name nobody."""
    references = [one for path in _OWNERS for one in values(resource, path) if isinstance(one, str)]
    if not references:
        return resource.get("resourceType") == "Coverage"
    return any(one.partition("/_history")[0].split("/")[-1] == patient for one in references)


def _vitals(evidence: Evidence) -> Verdict:
    asked = evidence.of("observation")
    found = [one for exchange in asked for one in exchange.matches("Observation")]
    others = sum("vital-signs" not in values(one, "category.coding.code") for one in found)
    if not found:
        return untested("no Observation in the sample")
    if others:
        return unmet(f"Observation.category: {others} of {len(found)} are no vital signs", sent=_sent(asked))
    return met(f"Observation.category: all {len(found)}", sent=_sent(asked))


def _observations_sorted(evidence: Evidence) -> Verdict:
    return _sorted(evidence.of("observation"), "Observation", "effective")


def _encounters_sorted(evidence: Evidence) -> Verdict:
    """The whole list is in order, and the app's `_count=1` brings its newest: where the patient is (§4)."""
    listed, last = evidence.of("encounter"), evidence.of("encounter-last")
    newest = {one.request.patient: max(dates) for one in listed if (dates := _dates(one, "Encounter"))}
    wrong = 0
    for one in last:
        dates = _dates(one, "Encounter")
        wrong += one.request.patient in newest and dates[:1] != [newest[one.request.patient]]
    if wrong:
        found = f"Encounter.period: `_count=1` misses the newest of {wrong} of {len(newest)} Patient(s)"
        return unmet(found, sent=_sent([*listed, *last]))
    verdict = _sorted(listed, "Encounter", "period")
    return replace(verdict, sent=_sent([*listed, *last]))


def _sorted(asked: list[Exchange], resource_type: str, element: str) -> Verdict:
    lists = [dates for one in asked if len(dates := _dates(one, resource_type)) > 1]
    if not lists:
        return untested(f"no Patient of the sample has two dated {resource_type}s")
    wrong = sum(dates != sorted(dates, reverse=True) for dates in lists)
    if wrong:
        found = f"{resource_type}.{element}: not newest first in {wrong} of {len(lists)} list(s)"
        return unmet(found, sent=_sent(asked))
    return met(f"{resource_type}.{element}: newest first in {len(lists)} list(s)", sent=_sent(asked))


def _dates(exchange: Exchange, resource_type: str) -> list[str]:
    found = (sort_value(one, resource_type, _NEWEST) for one in exchange.matches(resource_type))
    return [date for date in found if date is not None]


def _counted(evidence: Evidence, kind: str) -> Verdict:
    exchange = evidence.one(f"count-{kind}")
    if exchange is None:
        return untested("no Patient of the sample has two")
    sent = (exchange.sent,)
    if exchange.bundle is None:
        return unmet(f"_count: {exchange.described()}", sent=sent)
    found = len(exchange.matches(evidence.resource_type(kind)))
    return met("_count=1: one", sent=sent) if found <= 1 else unmet(f"_count=1: {found}", sent=sent)


def _sent(asked: list[Exchange]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.sent for one in asked))


def _about(test: Callable[[Evidence, str], Verdict], kind: str) -> Callable[[Evidence], Verdict]:
    return lambda evidence: test(evidence, kind)


def chart_checks(version: FhirVersion) -> tuple[Check, ...]:
    """The checks of every kind but Patient."""
    checks: list[Check] = []
    for kind in KINDS[version]:
        if kind.name == "patient":
            continue
        section = f"interface {SECTIONS[version]}: {kind.resource_type}"
        checks += _of_kind(kind.name, kind.resource_type, section)
    return tuple(checks)


def _of_kind(kind: str, resource_type: str, section: str) -> list[Check]:
    needs = (f"{kind}.search",)
    checks = [
        Check(
            f"{kind}.search",
            f"{resource_type} is searched by patient",
            section,
            Severity.SHOULD,  # §3: all but Patient are strongly recommended
            _about(_answered, kind),
            f"Support the search of {resource_type} by patient.",
            ("patient.search",),
        ),
        Check(
            f"{kind}.own",
            f"{resource_type}: only that patient's come back",
            section,
            Severity.MUST,
            _about(_own, kind),
            "Refuse search parameters that are not supported instead of leaving them out.",
            needs,
        ),
    ]
    order = "Honour _sort; offer date as a sort parameter."
    if kind == "observation":
        mend = "Support `category`; give vital signs the category vital-signs."
        title = "Only vital signs come back"
        checks.append(Check("observation.category", title, section, Severity.MUST, _vitals, mend, needs))
        title = "Observations come newest first"
        checks.append(Check("observation.order", title, section, Severity.MUST, _observations_sorted, order, needs))
    if kind == "encounter":
        title = "Encounters come newest first: the last known location"
        checks.append(Check("encounter.order", title, section, Severity.MUST, _encounters_sorted, order, needs))
    if kind in _COUNTED:
        title = f"_count limits {resource_type}"
        test = _about(_counted, kind)
        checks.append(Check(f"{kind}.count", title, section, Severity.SHOULD, test, "Honour _count.", needs))
    return checks
