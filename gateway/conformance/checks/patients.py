"""The patient list: search, count, total, pages, and every parameter that the app searches by (§4, §5 Patient)."""

from collections.abc import Callable
from functools import partial

from gateway.conformance.evidence import Evidence, Exchange
from gateway.conformance.paths import Resource, values
from gateway.conformance.survey import LIST_COUNT, mrn
from gateway.conformance.verdicts import Check, Severity, Verdict, met, partly, unmet, untested
from gateway.upstream.bundles import next_link
from gateway.upstream.folding import folded
from gateway.versions import FhirVersion

_SECTION = "interface §4, §5: Patient"
_LISTED = ("patient.search",)


def _listed(evidence: Evidence) -> Exchange | None:
    return next((one for probe in ("list-post", "list-get") for one in evidence.of(probe) if one.bundle), None)


def _search(evidence: Evidence) -> Verdict:
    asked = [*evidence.of("list-post"), *evidence.of("list-get")]
    if not asked:
        return untested("not asked")
    sent = tuple(one.sent for one in asked)
    listed = _listed(evidence)
    if listed is None:
        return unmet(*dict.fromkeys(one.described() for one in asked), sent=sent)
    found = len(listed.matches("Patient"))
    return met(f"{found} Patient(s)", sent=sent) if found else unmet("no Patient", sent=sent)


def _post(evidence: Evidence) -> Verdict:
    posted = evidence.one("list-post")
    if posted is None:
        return untested("not asked")
    if posted.bundle is None:
        return unmet(posted.described(), sent=(posted.sent,))
    return met(posted.described(), sent=(posted.sent,))


def _total(evidence: Evidence) -> Verdict:
    listed = _listed(evidence)
    total = (listed.bundle or {}).get("total") if listed else None
    sent = (listed.sent,) if listed else ()
    if not isinstance(total, int) or isinstance(total, bool):
        accurate = evidence.one("total-accurate")
        asked = accurate is not None and isinstance((accurate.bundle or {}).get("total"), int)
        return unmet("Bundle.total: absent" + (" unless _total=accurate is sent" if asked else ""), sent=sent)
    counted, complete = _walked(evidence)
    if (complete and total != counted) or total < counted:
        return unmet(f"Bundle.total: {total}, counted {counted}{'' if complete else ' or more'}", sent=sent)
    return met("Bundle.total: as counted" if complete else "Bundle.total: at least as many as walked", sent=sent)


def _walked(evidence: Evidence) -> tuple[int, bool]:
    """How many different patients the pages hold, and whether they were walked to the end."""
    pages = evidence.of("page")
    if not pages:
        listed = _listed(evidence)
        return (len(listed.matches("Patient")), not next_link(listed.bundle or {})) if listed else (0, False)
    found = {str(one.get("id")) for page in pages for one in page.matches("Patient")}
    return len(found), pages[-1].bundle is not None and not next_link(pages[-1].bundle or {})


def _count(evidence: Evidence) -> Verdict:
    listed, pages = _listed(evidence), evidence.of("page")
    asked = [(listed, LIST_COUNT)] if listed else []
    if pages:
        asked.append((pages[0], _asked_count(pages[0])))
    ignored = [one for one, count in asked if len(one.matches("Patient")) > count]
    sent = tuple(one.sent for one, _ in asked)
    if ignored:
        return unmet("_count: more Patients than asked for", sent=sent)
    return met("_count: never more than asked for", sent=sent) if asked else untested("not asked")


def _asked_count(exchange: Exchange) -> int:
    pairs = dict(exchange.request.form or exchange.request.query)
    return int(pairs.get("_count", LIST_COUNT))


def _pages(evidence: Evidence) -> Verdict:
    pages = evidence.of("page")
    if not pages:
        return untested("the list has one page")
    sent = tuple(dict.fromkeys(page.sent for page in pages))
    broken = next((page for page in pages if page.bundle is None), None)
    if broken is not None:
        return unmet(f"page {pages.index(broken) + 1}: {broken.described()}", sent=sent)
    if next_link(pages[-1].bundle or {}) and not evidence.limit_reached and _stopped_short(evidence):
        return unmet("Bundle.link(next): leads to another server, or back to a page that was seen", sent=sent)
    count, complete = _walked(evidence)
    if complete and count < len(_listed_patients(evidence)):
        return unmet("the pages hold fewer Patients than the list", sent=sent)
    return met("walked to the end" if complete else "walked as far as the check goes", sent=sent)


def _stopped_short(evidence: Evidence) -> bool:
    return len(evidence.of("page")) < evidence.most_pages


def _listed_patients(evidence: Evidence) -> set[str]:
    listed = _listed(evidence)
    return {str(one.get("id")) for one in listed.matches("Patient")} if listed else set()


def _repeats(evidence: Evidence) -> Verdict:
    pages = evidence.of("page")
    if not pages:
        return untested("the list has one page")
    ids = [str(one.get("id")) for page in pages for one in page.matches("Patient")]
    sent = tuple(dict.fromkeys(page.sent for page in pages))
    repeated = len(ids) - len(set(ids))
    return unmet(f"{repeated} of {len(ids)} Patients twice", sent=sent) if repeated else met("none twice", sent=sent)


def _found_by(evidence: Evidence, name: str, holds: Callable[[Resource, str], bool], *, one: bool = False) -> Verdict:
    exchange = evidence.one(f"search-{name}")
    if exchange is None:
        return untested("no Patient of the sample has a value to search by")
    sent = (exchange.sent,)
    if exchange.bundle is None:
        return unmet(exchange.described(), sent=sent)
    found = exchange.matches("Patient")
    value = _value(exchange)
    strangers = sum(not holds(patient, value) for patient in found)
    if not any(holds(patient, value) for patient in found):
        return unmet("the Patient it was asked for is not found", sent=sent)
    if strangers:
        return unmet(f"{strangers} of {len(found)} results do not match", sent=sent)
    if one and len(found) > 1:
        return partly(f"{len(found)} Patients where one was asked for", sent=sent)
    return met(f"{len(found)} result(s), all match", sent=sent)


def _value(exchange: Exchange) -> str:
    return (exchange.request.form or exchange.request.query)[0][1]


def _holds(path: str, patient: Resource, value: str) -> bool:
    return value in values(patient, path)


def _contains(path: str, patient: Resource, value: str) -> bool:
    return any(folded(value) in folded(name) for name in values(patient, path) if isinstance(name, str))


def _name(patient: Resource, value: str) -> bool:
    parts = ("name.family", "name.given", "name.text", "name.prefix", "name.suffix")
    return any(_contains(path, patient, value) for path in parts)


def _identifier(evidence: Evidence) -> Verdict:
    if mrn(evidence.patients, evidence.mrn_system) is None:
        return untested("no Patient of the sample has an identifier")
    return _found_by(evidence, "identifier", partial(_holds, "identifier.value"), one=True)


def _by(name: str, title: str, holds: Callable[[Resource, str], bool], *, one: bool = False) -> Check:
    def test(evidence: Evidence) -> Verdict:
        return _found_by(evidence, name, holds, one=one)

    mend = "Implement the search parameter, in the query and in the form of _search."
    return Check(f"patient.by-{name}", title, _SECTION, Severity.MUST, test, mend, _LISTED)


def patient_checks(version: FhirVersion) -> tuple[Check, ...]:
    """The checks of the patient list; only the DSTU2 page has the app search by `name`."""
    return (*_PATIENTS, _BY_NAME) if version is FhirVersion.DSTU2 else _PATIENTS


_BY_NAME = _by("name", "A Patient is found by a part of any name", _name)
_PATIENTS = (
    Check(
        "patient.search",
        "Patients can be listed",
        "interface §3: the app does not load without Patient",
        Severity.MUST,
        _search,
        "Make GET Patient or POST Patient/_search answer a searchset Bundle.",
        ("credential.accepted",),
    ),
    Check(
        "patient.post-search",
        "Patients are searched by POST",
        _SECTION,
        Severity.MUST,
        _post,
        "Accept POST Patient/_search with a form.",
        _LISTED,
    ),
    Check(
        "patient.total",
        "Bundle.total is the number of matches",
        _SECTION,
        Severity.MUST,
        _total,
        "Return an accurate Bundle.total with every Patient search.",
        _LISTED,
    ),
    Check(
        "patient.count",
        "_count limits a page of Patients",
        _SECTION,
        Severity.MUST,
        _count,
        "Honour _count.",
        _LISTED,
    ),
    Check(
        "patient.pages",
        "The next links lead to the end of the list",
        "interface §3, §4, §5: searches",
        Severity.MUST,
        _pages,
        "Let Bundle.link(next) lead to the next page on the same server until the last one.",
        _LISTED,
    ),
    Check(
        "patient.repeats",
        "No Patient stands on two pages",
        "interface §4, §5: Bundle.total",
        Severity.SHOULD,
        _repeats,
        "Give pages of a search a stable order.",
        (*_LISTED, "patient.pages"),
    ),
    _by("id", "A Patient is found by id", partial(_holds, "id"), one=True),
    _by("family", "A Patient is found by a part of the family name", partial(_contains, "name.family")),
    _by("given", "A Patient is found by a part of the given name", partial(_contains, "name.given")),
    _by("birthdate", "A Patient is found by the date of birth", partial(_holds, "birthDate")),
    _by("gender", "Patients are found by gender", partial(_holds, "gender")),
    Check(
        "patient.by-identifier",
        "A Patient is found by the MRN",
        _SECTION,
        Severity.MUST,
        _identifier,
        "Make `identifier` find a medical record number without its system.",
        _LISTED,
    ),
)
