"""What the gateway does about a server that does not meet a requirement, by its dialect profile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.conformance.evidence import Evidence
from gateway.conformance.fields import kind_of
from gateway.conformance.verdicts import Verdict
from gateway.upstream.systems import Contains, SystemProfile, Total


@dataclass(frozen=True, slots=True)
class Remedy:
    """`mends`: with it the app gets what it needs, so that the server may stay as it is."""

    text: str
    mends: bool = True


type Rule = Callable[[SystemProfile, Evidence], Remedy | None]

_OWN_STATEMENT = "The gateway publishes a capability statement of its own, without a token and with its own token URL."


def _always(text: str, *, mends: bool = True) -> Rule:
    return lambda _profile, _evidence: Remedy(text, mends)


def _unless(can: Callable[[SystemProfile], bool], text: str) -> Rule:
    """The gateway does it itself for a profile that does not claim that the server can."""

    def rule(profile: SystemProfile, _evidence: Evidence) -> Remedy:
        if can(profile):
            return Remedy(f"None: the profile `{profile.name}` leaves this to the server. Choose another.", mends=False)
        return Remedy(text)

    return rule


def _total(profile: SystemProfile, evidence: Evidence) -> Remedy:
    if profile.total is Total.COUNTED:
        return Remedy("The gateway walks the pages and counts.")
    accurate = evidence.one("total-accurate")
    answer = accurate.bundle if accurate is not None else None
    if profile.total is Total.ACCURATE and isinstance((answer or {}).get("total"), int):
        return Remedy("The gateway asks with _total=accurate.")
    return Remedy(f"None: the profile `{profile.name}` leaves the total to the server. Choose another.", mends=False)


def _contains(name: str) -> Rule:
    def rule(profile: SystemProfile, _evidence: Evidence) -> Remedy:
        if name in profile.unsearchable.get("Patient", ()):
            return Remedy(f"The gateway leaves `{name}` out and filters by itself.")
        if profile.contains is Contains.NATIVE:
            text = f"None: the profile `{profile.name}` leaves :contains to the server. Choose another."
            return Remedy(text, mends=False)
        return Remedy("The gateway asks for names that begin so and filters; the middle of a name is not found.")

    return rule


def _count(kind: str) -> Rule:
    def rule(profile: SystemProfile, evidence: Evidence) -> Remedy | None:
        if kind_of(evidence.version, kind).resource_type in profile.without_count:
            return Remedy("The gateway leaves _count out and cuts by itself.")
        return None

    return rule


_SORTS = _unless(lambda profile: profile.sort, "The gateway fetches all pages, sorts, and cuts to _count afterwards.")
_BATCHES = _unless(lambda profile: profile.batch, "The gateway sends the entries one by one, side by side.")
_RULES: Mapping[str, Rule] = {
    "metadata.open": _always(_OWN_STATEMENT),
    "metadata.statement": _always(_OWN_STATEMENT),
    "metadata.mode": _always(_OWN_STATEMENT),
    "metadata.patient": _always(f"{_OWN_STATEMENT} Whether Patients are found is what the searches show."),
    "metadata.types": _always(f"{_OWN_STATEMENT} Whether resources are found is what the searches show."),
    "metadata.oauth-uris": _always(f"{_OWN_STATEMENT} The server's token URL is registered with the tenant."),
    "patient.post-search": _unless(lambda profile: profile.post_search, "The gateway searches by GET."),
    "patient.total": _total,
    "patient.repeats": _unless(
        lambda profile: profile.total is not Total.COUNTED, "The gateway leaves repeated resources out."
    ),
    "patient.by-family": _contains("family"),
    "patient.by-given": _contains("given"),
    "patient.by-name": _contains("name"),
    "observation.order": _SORTS,
    "encounter.order": _SORTS,
    "condition.count": _count("condition"),
    "medication.count": _count("medication"),
    "batch": _BATCHES,
    "batch.entries": _BATCHES,
    "read.unknown": _always("The gateway answers with an OperationOutcome of its own."),
    "media-type": _always("The gateway labels its answers itself."),
    "rate": _always("The gateway waits as Retry-After says, as long as the time of the request allows."),
    **{
        f"{kind}.own": _always("The gateway leaves out whatever is not about the Patient that was asked for.")
        for kind in ("observation", "condition", "encounter", "allergy", "medication", "coverage")
    },
}


def remedy_for(check_id: str, verdict: Verdict, profile: SystemProfile, evidence: Evidence) -> Remedy | None:
    """What the gateway does about a verdict that is not met; None when it does nothing."""
    if verdict.beside:
        return Remedy(f"The gateway takes it from {verdict.beside}.")
    rule = _RULES.get(check_id)
    return rule(profile, evidence) if rule else None
