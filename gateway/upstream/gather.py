"""All pages of a search, for what a server cannot do by itself: sort, count, filter, cut at `_count`."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.errors import GatewayError, TooCostly
from gateway.upstream.answers import UpstreamAnswer, read_answer
from gateway.upstream.bundles import Findings, next_link, warning_entry
from gateway.upstream.paging import Continuation, resolve_link, search_url
from gateway.upstream.plan import Plan, encode
from gateway.upstream.requests import ask, search_headers
from gateway.upstream.sorting import SortKey, instant, sort_entries
from gateway.upstream.systems import Order
from gateway.upstream.transport import Upstream

MAX_PAGES = 50
MAX_ENTRIES = 5000
# Shown at once when the caller names no `_count`.
PAGE_SIZE = 200
# How far back the newest are looked for before everything is paged through; types whose `date` any server searches by.
_WINDOWS_DAYS = (30, 365)
_DATED = frozenset({"Encounter", "Observation"})
_NEWEST = SortKey("date", descending=True)


@dataclass(slots=True)
class _Gathered:
    findings: Findings
    complete: bool
    since: str | None = None
    """The results are those from this instant on; None: no such bound."""
    declared: int | None = None
    """More than was found, by the server's own words."""
    dropped: int = 0


async def gather(upstream: Upstream, plan: Plan, headers: Mapping[str, str], *, offset: int) -> UpstreamAnswer:
    """Answer a plan from all its pages, from result number `offset` on. Errors as `search.search` says."""
    plan = plan.for_all_pages()
    count = PAGE_SIZE if plan.count is None else plan.count
    started = asyncio.get_running_loop().time()
    first, plan = await ask(upstream, plan, headers)
    if not first.is_bundle:
        return first
    walk = _Walk(upstream, plan, headers, started + upstream.budget_seconds)
    gathered = await walk.newest(first, offset + count) if plan.keys == [_NEWEST] else await walk.all_of(first)
    if plan.keys and not gathered.complete and gathered.since is None:
        raise TooCostly(
            f"This tenant's FHIR server cannot sort, and has more {plan.resource_type} results than the gateway "
            "may sort for it: narrow the search, for example by date."
        )
    return UpstreamAnswer(200, first.headers, _bundle(plan, gathered, offset, count))


class _Walk:
    """Follows the pages of one search, within limits of pages, entries and time."""

    def __init__(self, upstream: Upstream, plan: Plan, headers: Mapping[str, str], deadline: float) -> None:
        self._upstream = upstream
        self._plan = plan
        self._headers = headers
        self._deadline = deadline
        self._pages = 0

    async def newest(self, first: UpstreamAnswer, wanted: int) -> _Gathered:
        """At least the `wanted` newest results, with as few requests as the server allows."""
        if next_link(first.resource) is None and not _declares_more(first.resource):
            return await self.all_of(first)
        known_order = self._plan.resource_type == "Encounter" and self._plan.profile.encounter_order
        dated = any(name == "date" for name, _ in self._plan.sent)
        best: _Gathered | None = None
        if self._plan.resource_type in _DATED and known_order is not Order.NEWEST_FIRST and not dated:
            for days in _WINDOWS_DAYS:
                window = await self._window(days)
                if window is None:
                    break
                best = window
                if len(window.findings.matches) >= wanted:
                    return window
        everything = await self.all_of(first)
        return everything if everything.complete or best is None or not best.findings.matches else best

    async def all_of(self, first: UpstreamAnswer) -> _Gathered:
        """Every page from the first on; not complete when a limit, a page or the server's own words say so."""
        findings = Findings(self._plan.resource_type)
        answer, base = first, search_url(self._plan.tenant, self._plan.resource_type)
        seen: set[str] = set()
        declared = first.resource.get("total") if _declares_more(first.resource) else None
        while True:
            self._pages += 1
            findings.add(answer.resource)
            link = next_link(answer.resource)
            if link is None:
                return self._judged(findings, complete=declared is None, declared=declared)
            if link in seen or self._pages >= MAX_PAGES or len(findings.matches) >= MAX_ENTRIES:
                return self._judged(findings, complete=False)
            seen.add(link)
            try:
                async with asyncio.timeout_at(self._deadline):
                    base = resolve_link(self._plan.tenant, link, base)
                    wanted = search_headers(self._plan.tenant, self._headers)
                    answer = read_answer(await self._upstream.fetch(self._plan.tenant, base, wanted))
            except (GatewayError, TimeoutError):
                return self._judged(findings, complete=False)
            if not answer.is_bundle:
                return self._judged(findings, complete=False)

    async def _window(self, days: int) -> _Gathered | None:
        """What happened in the last `days`; None when that cannot be told or the server ignores the window."""
        start = datetime.now(UTC) - timedelta(days=days)
        plan = replace(self._plan, sent=[*self._plan.sent, ("date", f"ge{start:%Y-%m-%d}")])
        try:
            async with asyncio.timeout_at(self._deadline):
                answer, _ = await ask(self._upstream, plan, self._headers)
        except (GatewayError, TimeoutError):
            return None
        if not answer.is_bundle:
            return None
        window = await self.all_of(answer)
        bound = instant(f"{start:%Y-%m-%d}") or ""
        if not window.complete or any(_over_before(entry["resource"], bound) for entry in window.findings.matches):
            return None
        window.since = bound
        return window

    def _judged(self, findings: Findings, *, complete: bool, declared: int | None = None) -> _Gathered:
        """Keep what holds against the scope and the filters, in the wanted order."""
        plan = self._plan
        found = len(findings.matches)
        findings.matches = [
            entry
            for entry in findings.matches
            if plan.scope.holds(entry["resource"]) and all(given.holds(entry["resource"]) for given in plan.filters)
        ]
        sort_entries(findings.matches, plan.resource_type, plan.keys)
        return _Gathered(findings, complete, declared=declared, dropped=found - len(findings.matches))


def _declares_more(bundle: dict[str, Any]) -> bool:
    """Whether a server without further pages says that it has more than it gave."""
    total = bundle.get("total")
    if not isinstance(total, int) or next_link(bundle) is not None:
        return False
    return total > len(bundle.get("entry") or [])


def _over_before(resource: dict[str, Any], bound: str) -> bool:
    """Whether a resource ended before an instant, by a day for zones' sake: a server that honours `ge` has none."""
    period = resource.get("period") or resource.get("effectivePeriod")
    end = period.get("end") if isinstance(period, dict) else resource.get("effectiveDateTime")
    moment = instant(end)
    return moment is not None and moment[:10] < (datetime.fromisoformat(bound) - timedelta(days=1)).isoformat()[:10]


def _bundle(plan: Plan, gathered: _Gathered, offset: int, count: int) -> dict[str, Any]:
    address = f"{search_url(plan.tenant, plan.resource_type)}?{encode(plan.asked)}".rstrip("?")
    matches = [] if plan.only_total else gathered.findings.matches[offset : offset + count]
    entries = matches + ([] if plan.only_total else gathered.findings.others)
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    links = [{"relation": "self", "url": address}]
    found = len(gathered.findings.matches)
    if gathered.complete and gathered.since is None:
        bundle["total"] = found
    elif gathered.declared is not None and not gathered.dropped:
        bundle["total"] = gathered.declared
    elif not gathered.complete:
        entries.append(warning_entry("incomplete", "The FHIR server has more results than the gateway could count."))
    # Behind the last one of a window there may be older ones: the next page looks further back.
    more = offset + count < found or (gathered.since is not None and found > offset)
    if more and count and not plan.only_total:
        mark = Continuation(plan.resource_type, tuple(plan.asked), offset + count)
        links.append({"relation": "next", "url": mark.mark(address)})
    if plan.unsorted_by:
        entries.append(unsorted_entry(plan))
    bundle["link"] = links
    if entries:
        bundle["entry"] = entries
    return bundle


def unsorted_entry(plan: Plan) -> dict[str, Any]:
    """The note that neither the server nor the gateway can sort as asked."""
    return warning_entry("not-supported", f"Not sorted by {', '.join(plan.unsorted_by)}.")
