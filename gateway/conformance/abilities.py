"""What the server can do, as the run found it, and the dialect profile that fits."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.conformance.evidence import Evidence
from gateway.conformance.verdicts import Proposal, State, Verdict
from gateway.upstream.detection import system_of
from gateway.upstream.systems import PROFILES, Contains, SystemProfile, Total

# What may be proposed for any server: the one that trusts nothing, and the one that leaves it everything.
_ANYBODYS = ("generic", "hapi")


@dataclass(frozen=True, slots=True)
class Abilities:
    """None: the run could not tell."""

    batch: bool | None
    post_search: bool | None
    sort: bool | None
    contains: bool | None
    total: Total | None
    without_count: frozenset[str]
    statements: bool | None

    def shown(self) -> dict[str, str]:
        known = {True: "yes", False: "no", None: "not known"}
        return {
            "batch": known[self.batch],
            "POST Patient/_search": known[self.post_search],
            "_sort": known[self.sort],
            ":contains": known[self.contains],
            "Bundle.total": self.total.value if self.total else "not known",
            "without _count": ", ".join(sorted(self.without_count)) or "none",
            "MedicationStatement": known[self.statements],
        }


def find_abilities(evidence: Evidence, verdicts: Mapping[str, Verdict]) -> Abilities:
    """What the server alone showed."""

    def all_met(*ids: str) -> bool | None:
        states = [verdicts[one].state for one in ids if one in verdicts]
        told = [state for state in states if state is not State.UNTESTED]
        return all(state is State.MET for state in told) if told else None

    total = {True: Total.NATIVE, None: None, False: Total.COUNTED}[all_met("patient.total")]
    accurate = evidence.one("total-accurate")
    if total is Total.COUNTED and accurate is not None and isinstance((accurate.bundle or {}).get("total"), int):
        total = Total.ACCURATE
    statement = evidence.one("statement")
    return Abilities(
        batch=all_met("batch", "batch.entries"),
        post_search=all_met("patient.post-search"),
        sort=all_met("observation.order", "encounter.order"),
        contains=all_met("patient.by-family", "patient.by-given"),
        total=total,
        without_count=frozenset(
            evidence.resource_type(kind) for kind in ("condition", "medication") if all_met(f"{kind}.count") is False
        ),
        statements=None if statement is None else statement.bundle is not None,
    )


def propose(found: Abilities, configured: str, evidence: Evidence) -> Proposal:
    """The profile that claims nothing the server cannot do and leaves it the most of what it can.

    The configured one wins when it is as good as any, then the one of the software that the server says it is. Other
    makers' profiles are not proposed: they hold more than abilities, such as names of parameters.
    """
    metadata = evidence.one("metadata")
    software = system_of(metadata.resource if metadata else None)
    order = dict.fromkeys(name for name in (configured, software, *_ANYBODYS) if name in PROFILES)
    safe = [PROFILES[name] for name in order if not _claims(PROFILES[name], found)]
    best = max(safe, key=lambda profile: _used(profile, found), default=PROFILES["generic"])
    current = PROFILES.get(configured, PROFILES["generic"])
    return Proposal(best.name, configured, found.shown(), tuple(_claims(current, found)))


def _claims(profile: SystemProfile, found: Abilities) -> list[str]:
    """What the profile says of the server, and the server does not do: each would be missing at the app."""
    wrong = []
    for name, claimed, seen in (
        ("batch", profile.batch, found.batch),
        ("POST Patient/_search", profile.post_search, found.post_search),
        ("_sort", profile.sort, found.sort),
        (":contains", profile.contains is Contains.NATIVE, found.contains),
    ):
        if claimed and seen is False:
            wrong.append(f"{name}: the profile says yes, the server does not")
    if found.total is not None and _reliance(profile.total) > _reliance(found.total):
        wrong.append(f"Bundle.total: the profile says {profile.total}, the server needs {found.total}")
    missing = sorted(found.without_count - profile.without_count)
    if missing:
        wrong.append(f"_count: the profile says yes for {', '.join(missing)}, the server does not")
    return wrong


def _reliance(total: Total) -> int:
    return (Total.COUNTED, Total.ACCURATE, Total.NATIVE).index(total)


def _used(profile: SystemProfile, found: Abilities) -> int:
    """How much of what the server can do the profile leaves to it."""
    return sum(
        (
            bool(profile.batch and found.batch),
            bool(profile.post_search and found.post_search),
            bool(profile.sort and found.sort),
            bool(profile.contains is Contains.NATIVE and found.contains),
            profile.total is found.total,
            not (profile.without_count - found.without_count),
        )
    )
