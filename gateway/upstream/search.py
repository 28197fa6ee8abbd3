"""Searches on any FHIR server, answered as the standard says: sorted, counted, filtered and about the asked patient.

What the server's profile says it can do is left to it; the rest is done here, within limits (docs/upstream-systems.md).
"""

from collections.abc import Mapping

from gateway.registry import Tenant
from gateway.upstream.answers import UpstreamAnswer, read_answer
from gateway.upstream.bundles import Findings, next_link
from gateway.upstream.gather import gather, unsorted_entry
from gateway.upstream.page import finish_page, scoped
from gateway.upstream.paging import Continuation, resolve_link, search_url
from gateway.upstream.plan import Pairs, make_plan
from gateway.upstream.requests import ask, search_headers
from gateway.upstream.transport import Upstream

__all__ = ["follow", "search"]


async def search(
    upstream: Upstream, tenant: Tenant, resource_type: str, parameters: Pairs, headers: Mapping[str, str]
) -> UpstreamAnswer:
    """Search the tenant's server. `parameters` are decoded pairs in terms of the server's own FHIR version.

    The answer is a searchset Bundle whose results are all about the patient that was asked for, or the server's
    refusal. `Bundle.total` of a Patient search is the number of matches, or absent with a warning outcome among the
    entries when they were too many to count. A `next` link is absolute and to be handed to `follow` as it is, its
    fragment included.

    Raises BadRequest for what the system cannot be asked, TooCostly when the order cannot be told within the limits,
    and what `Upstream.send` raises.
    """
    plan = make_plan(tenant, resource_type, parameters)
    if plan.gathered:
        return await gather(upstream, plan, headers, offset=0)
    answer, plan = await ask(upstream, plan, headers)
    if not answer.is_bundle:
        return answer
    bundle = answer.resource
    findings = Findings(resource_type)
    findings.add(bundle)
    more = next_link(bundle) is not None
    uncounted = plan.counted and not isinstance(bundle.get("total"), int) and (more or plan.only_total)
    if uncounted or not all(given.holds(entry["resource"]) for given in plan.filters for entry in findings.matches):
        return await gather(upstream, plan, headers, offset=0)
    dropped = finish_page(
        tenant, bundle, findings, scoped(resource_type, plan.asked), search_url(tenant, resource_type)
    )
    if "total" not in bundle and not more:
        bundle["total"] = len(findings.matches) - dropped
    if plan.unsorted_by:
        bundle["entry"] = [*bundle.get("entry", []), unsorted_entry(plan)]
    return answer


async def follow(upstream: Upstream, tenant: Tenant, next_url: str, headers: Mapping[str, str]) -> UpstreamAnswer:
    """The page behind a `next` link of `search` or of an earlier `follow`.

    Raises UpstreamBroken when it leads to another origin than the tenant's server, BadRequest when it is damaged, and
    what `search` raises.
    """
    address, continuation = Continuation.of(next_url)
    if continuation is not None and continuation.offset is not None:
        plan = make_plan(tenant, continuation.resource_type, list(continuation.parameters))
        return await gather(upstream, plan, headers, offset=continuation.offset)
    url = resolve_link(tenant, address)
    answer = read_answer(await upstream.fetch(tenant, url, search_headers(tenant, headers)))
    if answer.is_bundle and continuation is not None:
        findings = Findings(continuation.resource_type)
        findings.add(answer.resource)
        finish_page(tenant, answer.resource, findings, continuation, url)
    return answer
