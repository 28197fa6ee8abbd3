"""The links of Bundles: to the search itself, and to the pages beside this one."""

from typing import Any

from gateway.errors import UpstreamBroken
from gateway.fhir.paging import PARAMETER, PageLinks
from gateway.fhir.terms import Terms
from gateway.registry import Tenant
from gateway.upstream.paging import Continuation, resolve_link

_SHOWN = {"next": "next", "previous": "previous", "prev": "previous"}


async def relink(
    pages: PageLinks, tenant: Tenant, terms: Terms, bundle: dict[str, Any], shown: tuple[str, str, Continuation]
) -> None:
    """Put the gateway's links in place of the upstream's: `self`, `next` and `previous`; others are left out.

    `shown` is the resource type, the address of this page, and what the later pages are held against. A link that
    leads to another origin is left out: a credential would go there.
    """
    resource_type, address, continuation = shown
    links = [{"relation": "self", "url": address}]
    held = bundle.get("link")
    for link in held if isinstance(held, list) else []:
        relation = _SHOWN.get(str(link.get("relation"))) if isinstance(link, dict) else None
        url = link.get("url") if relation else None
        if relation is None or not isinstance(url, str):
            continue
        if "#" not in url:
            try:
                url = continuation.mark(str(resolve_link(tenant, url)))
            except UpstreamBroken:
                continue
        token = await pages.seal(tenant, terms.face.version, resource_type, url)
        links.append({"relation": relation, "url": f"{terms.base}/{resource_type}?{PARAMETER}={token}"})
    bundle["link"] = links
