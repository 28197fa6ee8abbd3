from typing import Any

from yarl import URL

from gateway.errors import UpstreamBroken
from gateway.registry import Tenant
from gateway.upstream.bundles import Findings, next_link, warning_entry
from gateway.upstream.matching import PatientScope, is_scope
from gateway.upstream.paging import Continuation, resolve_link


def scoped(resource_type: str, parameters: list[tuple[str, str]]) -> Continuation:
    """What the later pages of a search are held against; a link need not carry the rest."""
    return Continuation(resource_type, tuple(pair for pair in parameters if is_scope(pair[0])))


def finish_page(
    tenant: Tenant, bundle: dict[str, Any], findings: Findings, continuation: Continuation, base: URL
) -> int:
    """Make a server's own page fit to be shown, in place: nothing about other patients than the asked one, no total
    that counts them, and a next link that `follow` knows. Returns how many matches were dropped.

    `base` is what relative links are resolved against.
    """
    scope = PatientScope.of(continuation.parameters)
    kept = [entry for entry in findings.matches if scope.holds(entry["resource"])]
    dropped = len(findings.matches) - len(kept)
    if dropped:
        bundle.pop("total", None)
    entries = [*kept, *findings.others]
    links = [link for link in bundle.get("link") or [] if isinstance(link, dict) and link.get("relation") != "next"]
    following = next_link(bundle)
    if following is not None:
        try:
            links.append({"relation": "next", "url": continuation.mark(str(resolve_link(tenant, following, base)))})
        except UpstreamBroken as error:
            entries.append(warning_entry("incomplete", error.public))
    for name, values in (("link", links), ("entry", entries)):
        if values:
            bundle[name] = values
        else:
            bundle.pop(name, None)  # FHIR JSON knows no empty arrays
    return dropped
