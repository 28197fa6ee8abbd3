"""Searchset bundles of any FHIR version: matches, included resources and outcomes kept apart."""

from dataclasses import dataclass, field
from typing import Any

from gateway.errors import UpstreamBroken


@dataclass(slots=True)
class Findings:
    """The entries of one search, over one or more pages; none twice (some servers repeat a resource across pages)."""

    resource_type: str
    matches: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    """Included resources and outcomes: never counted (search.html#entries)."""
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, bundle: dict[str, Any]) -> None:
        """Take in the entries of one page. Raises UpstreamBroken when they are none."""
        entries = bundle.get("entry") or []
        if not isinstance(entries, list):
            raise UpstreamBroken("The FHIR server's Bundle is malformed.")
        for entry in entries:
            resource = entry.get("resource") if type(entry) is dict else None
            if type(resource) is not dict:
                continue
            found_type, found_id = str(resource.get("resourceType")), str(resource.get("id", ""))
            if found_id:
                key = (found_type, found_id)
                if key in self._seen:
                    continue
                self._seen.add(key)
            search = entry.get("search")
            mode = search.get("mode") if type(search) is dict else None
            is_match = found_type == self.resource_type and mode in (None, "match")
            (self.matches if is_match else self.others).append(entry)


def next_link(bundle: dict[str, Any]) -> str | None:
    """The address of the next page, as the server wrote it."""
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None


def warning_entry(code: str, text: str) -> dict[str, Any]:
    """A note about the search, as an entry that is no match."""
    issue = {"severity": "warning", "code": code, "details": {"text": text}, "diagnostics": text}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return {"resource": outcome, "search": {"mode": "outcome"}}
