"""What of a search the server does, by its profile, and what is left to the gateway."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from gateway.errors import BadRequest
from gateway.registry import Tenant
from gateway.upstream.extra_parameters import callers_own
from gateway.upstream.matching import NAMES, NameFilter, PatientScope
from gateway.upstream.sorting import SortKey, can_sort, sort_keys
from gateway.upstream.systems import Contains, SystemProfile, Total, profile_of

type Pairs = list[tuple[str, str]]

# Parameters of the answer's form, which narrow no search.
_RESULT_PARAMETERS = frozenset(
    {"_count", "_sort", "_summary", "_elements", "_total", "_include", "_revinclude", "_format", "_pretty"}
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`sent` goes to the server. The rest is the gateway's: `keys` to sort by, `filters` to apply, `count` to cut at.

    `gathered`: all pages must be seen before the first can be answered. `counted`: `Bundle.total` must be right.
    `prefixed` is what to send instead when the server refuses `:contains`; None when there is no such way out.
    """

    tenant: Tenant
    profile: SystemProfile
    resource_type: str
    asked: Pairs
    sent: Pairs
    scope: PatientScope
    keys: list[SortKey] = field(default_factory=list)
    filters: list[NameFilter] = field(default_factory=list)
    count: int | None = None
    only_total: bool = False
    gathered: bool = False
    counted: bool = False
    unsorted_by: tuple[str, ...] = ()
    prefixed: Pairs | None = None

    def for_all_pages(self) -> "Plan":
        """The same search, with pages as large as they may be and nothing that hides resources from the count."""
        hidden = {"_count"} | ({"_summary"} if self.only_total else set())

        def wide(pairs: Pairs) -> Pairs:
            kept = [(name, value) for name, value in pairs if name not in hidden]
            sized = self.resource_type not in self.profile.without_count
            return [*kept, ("_count", str(self.profile.page_size))] if sized else kept

        prefixed = None if self.prefixed is None else wide(self.prefixed)
        return replace(self, sent=wide(self.sent), prefixed=prefixed, gathered=True)

    def without_contains(self) -> "Plan":
        return replace(self, sent=self.prefixed or self.sent, prefixed=None)


def make_plan(tenant: Tenant, resource_type: str, parameters: Sequence[tuple[str, str]]) -> Plan:
    """Raises BadRequest for what the tenant's system cannot be asked at all."""
    profile = profile_of(tenant)
    asked = callers_own(tenant, parameters)
    scope = PatientScope.of(asked)
    renamed = profile.renamed.get(resource_type, {})
    sent = [(renamed.get(name, name), value) for name, value in asked]
    _require_one_of(profile, resource_type, sent)

    keys, unsorted_by, sent = _sorting(profile, resource_type, sent)
    filters, sent, prefixed = _names(profile, resource_type, sent)
    sent = _widen_elements(sent, scope)
    count = _count(sent)
    only_total = count == 0 or ("_summary", "count") in sent
    counted = resource_type == "Patient"
    if counted and profile.total is Total.ACCURATE and not any(name == "_total" for name, _ in sent):
        sent = [*sent, ("_total", "accurate")]
        prefixed = None if prefixed is None else [*prefixed, ("_total", "accurate")]
    unsearchable = len(filters) > 0 and not any(given.how == "contains" for given in filters)
    gathered = (
        bool(keys)
        or unsearchable
        or (counted and profile.total is Total.COUNTED)
        or (count is not None and resource_type in profile.without_count)
        or (only_total and bool(scope))  # a bare number cannot be held against the asked patient
    )
    return Plan(
        tenant=tenant,
        profile=profile,
        resource_type=resource_type,
        asked=asked,
        sent=sent,
        scope=scope,
        keys=keys,
        filters=filters,
        count=count,
        only_total=only_total,
        gathered=gathered,
        counted=counted,
        unsorted_by=unsorted_by,
        prefixed=prefixed,
    )


def encode(pairs: Sequence[tuple[str, str]]) -> str:
    """A query or form; colons and commas stay readable, as servers write them themselves."""
    return urlencode(pairs, safe=":,/", quote_via=quote)


def _require_one_of(profile: SystemProfile, resource_type: str, sent: Pairs) -> None:
    needed = profile.one_of.get(resource_type)
    if needed and not any(name.partition(":")[0] in needed | {"_id"} for name, _ in sent):
        names = " or ".join(sorted(needed))
        raise BadRequest(f"This tenant's FHIR server searches {resource_type} only with {names}.")


def _sorting(profile: SystemProfile, resource_type: str, sent: Pairs) -> tuple[list[SortKey], tuple[str, ...], Pairs]:
    if profile.sort:
        return [], (), sent
    wanted = [key for name, value in sent if name.partition(":")[0] == "_sort" for key in sort_keys(name, value)]
    rest = [(name, value) for name, value in sent if name.partition(":")[0] != "_sort"]
    unknown = tuple(key.parameter for key in wanted if not can_sort(resource_type, key))
    return [key for key in wanted if can_sort(resource_type, key)], unknown, rest


def _names(profile: SystemProfile, resource_type: str, sent: Pairs) -> tuple[list[NameFilter], Pairs, Pairs | None]:
    """Filters to apply here, what to send, and what to send when `:contains` is refused."""
    if resource_type != "Patient":
        return [], sent, None
    forbidden = profile.unsearchable.get("Patient", frozenset())
    filters: list[NameFilter] = []
    kept: Pairs = []
    plain: Pairs = []
    for full_name, value in sent:
        name, _, modifier = full_name.partition(":")
        if name in forbidden:
            filters.append(NameFilter.of(full_name, value))
        elif name in NAMES and modifier == "contains" and profile.contains is not Contains.NATIVE:
            filters.append(NameFilter.of(full_name, value))
            kept.append((name if profile.contains is Contains.PREFIX else full_name, value))
            plain.append((name, value))
        else:
            kept.append((full_name, value))
            plain.append((full_name, value))
    if len(kept) < len(sent) and all(name.partition(":")[0] in _RESULT_PARAMETERS for name, _ in kept):
        raise BadRequest(f"This tenant's FHIR server cannot search patients by {', '.join(sorted(forbidden))} alone.")
    return filters, kept, plain if plain != kept else None


def _widen_elements(sent: Pairs, scope: PatientScope) -> Pairs:
    """`_elements` must not hide what the scope is checked by."""
    needed = scope.elements()
    return [
        (name, ",".join(dict.fromkeys([*value.split(","), *needed])))
        if name == "_elements" and needed
        else (name, value)
        for name, value in sent
    ]


def _count(sent: Pairs) -> int | None:
    for name, value in sent:
        if name == "_count":
            if not (value.isascii() and value.isdecimal()):
                raise BadRequest("_count takes a whole number that is not negative.")
            return int(value[:9])
    return None
