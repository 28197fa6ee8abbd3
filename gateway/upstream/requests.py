from collections.abc import Mapping

from gateway.registry import Tenant
from gateway.upstream.answers import UpstreamAnswer, read_answer
from gateway.upstream.plan import Plan, encode
from gateway.upstream.systems import accept
from gateway.upstream.transport import Upstream

_FORM = "application/x-www-form-urlencoded"
# Of the caller's headers: conditional requests are for reads (http.html#cread), and the media type is the system's.
_NOT_FOR_SEARCHES = frozenset({"accept", "if-none-match", "if-modified-since", "content-type"})
_REFUSED = frozenset({400, 422, 501})
# RFC 9110 §15.5.6, §15.6.2: of a form, that the server does not take any.
_NO_FORMS = frozenset({405, 501})


async def ask(upstream: Upstream, plan: Plan, headers: Mapping[str, str]) -> tuple[UpstreamAnswer, Plan]:
    """The first page of a plan's search, and the plan in the form that the server accepted."""
    answer = await _send(upstream, plan, headers)
    if answer.status in _REFUSED and plan.prefixed is not None:
        plan = plan.without_contains()
        answer = await _send(upstream, plan, headers)
    return answer, plan


def search_headers(tenant: Tenant, headers: Mapping[str, str]) -> dict[str, str]:
    """What a search tells the server, of what the caller said."""
    kept = {name: value for name, value in headers.items() if name.lower() not in _NOT_FOR_SEARCHES}
    return {**kept, "accept": accept(tenant)}


async def _send(upstream: Upstream, plan: Plan, headers: Mapping[str, str]) -> UpstreamAnswer:
    wanted = search_headers(plan.tenant, headers)
    query = encode(plan.sent)
    if plan.profile.post_search and plan.resource_type == "Patient":
        # A form keeps names and birth dates out of the server's logs of addresses.
        form = {**wanted, "content-type": _FORM}
        response = await upstream.send(plan.tenant, "POST", "Patient/_search", form, query.encode())
        if response.status not in _NO_FORMS:
            return read_answer(response)
    target = f"{plan.resource_type}?{query}" if query else plan.resource_type
    return read_answer(await upstream.send(plan.tenant, "GET", target, wanted))
