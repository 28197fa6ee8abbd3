"""Searchset and history bundles, and the pages of long ones."""

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from local.sandbox.outcomes import FhirError
from local.sandbox.queries import Query
from local.sandbox.store import Stored

_SEARCHES_KEPT = 1000


@dataclass(frozen=True)
class Search:
    """An answered search: its matches stay the same while a client walks its pages."""

    resource_type: str
    query: Query
    matches: Sequence[Stored]

    @property
    def page_count(self) -> int:
        """How many pages the matches fill."""
        return -(-len(self.matches) // self.query.page_size)


class PagedSearches:
    """The searches whose further pages can be asked for; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._searches: OrderedDict[str, Search] = OrderedDict()

    def first_page(self, base: str, search: Search) -> dict[str, Any]:
        """Return the bundle that answers a search; `base` is the absolute base URL of its links."""
        url = f"{base}/{search.resource_type}"
        links = [{"relation": "self", "url": f"{url}?{urlencode(search.query.honoured)}".rstrip("?")}]
        if search.query.total_only:
            return _searchset(len(search.matches), links)
        if search.page_count > 1:
            key = secrets.token_urlsafe(12)
            self._searches[key] = search
            if len(self._searches) > _SEARCHES_KEPT:
                self._searches.popitem(last=False)
            links.append(_page_link("next", base, key, 1))
        entries = [_match(base, resource) for resource in search.matches[: search.query.page_size]]
        return _searchset(len(search.matches), links, entries)

    def page(self, base: str, token: str) -> dict[str, Any]:
        """Return the page that a next or previous link names; FhirError 410 when it is not known any more."""
        key, _, number = token.rpartition(".")
        search = self._searches.get(key)
        if search is None or not number.isdecimal() or int(number) >= search.page_count:
            raise FhirError(410, "expired", "This page of a search is not known any more: search again")
        index, size = int(number), search.query.page_size
        links = [_page_link("self", base, key, index)]
        if index:
            links.append(_page_link("previous", base, key, index - 1))
        if index + 1 < search.page_count:
            links.append(_page_link("next", base, key, index + 1))
        entries = [_match(base, resource) for resource in search.matches[index * size : (index + 1) * size]]
        return _searchset(len(search.matches), links, entries)


def history_bundle(base: str, resource: Stored) -> dict[str, Any]:
    """Return the history of a resource, which has its one version."""
    url = f"{resource.type}/{resource.id}"
    entry = {
        "fullUrl": f"{base}/{url}",
        "resource": orjson.Fragment(resource.body),
        "request": {"method": "PUT", "url": url},
        "response": {
            "status": "201",
            "etag": resource.etag,
            "lastModified": resource.content["meta"]["lastUpdated"],
        },
    }
    links = [{"relation": "self", "url": f"{base}/{url}/_history"}]
    return {"resourceType": "Bundle", "type": "history", "total": 1, "link": links, "entry": [entry]}


def _searchset(total: int, links: list[dict[str, str]], entries: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    # FHIR JSON knows no empty arrays.
    return {**bundle, "entry": entries} if entries else bundle


def _match(base: str, resource: Stored) -> dict[str, Any]:
    return {
        "fullUrl": f"{base}/{resource.type}/{resource.id}",
        "resource": orjson.Fragment(resource.body),
        "search": {"mode": "match"},
    }


def _page_link(relation: str, base: str, key: str, index: int) -> dict[str, str]:
    return {"relation": relation, "url": f"{base}?page={key}.{index}"}
