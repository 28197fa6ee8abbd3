"""A hospital's FHIR endpoint below HTTP: what each interaction answers."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from local.sandbox.answers import Answer, built_answer, resource_answer
from local.sandbox.capability import capability_statement
from local.sandbox.hospitals import Hospital
from local.sandbox.outcomes import FhirError
from local.sandbox.queries import parse_query
from local.sandbox.search_parameters import SEARCH_PARAMETERS
from local.sandbox.searches import PagedSearches, Search, history_bundle
from local.sandbox.store import Store, Stored


class FhirEndpoint:
    """The read-only RESTful interactions of one hospital (http://hl7.org/fhir/R4/http.html).

    `base` is always the absolute base URL that the client used, without a slash at its end. Everything that
    cannot be met raises FhirError.
    """

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital
        self._store = Store(hospital.folder)
        self._searches = PagedSearches()
        unknown = set(self._store.types) - set(SEARCH_PARAMETERS[hospital.version])
        if unknown:
            raise ValueError(f"{hospital.name} holds types without search parameters: {sorted(unknown)}")

    def get(self, base: str, path: str, query: str, headers: Mapping[str, str]) -> Answer:
        """Answer a GET below the base; `path` has no slash at its start, header names are lower case."""
        match path.split("/"):
            case [""]:
                return self._page(base, query)
            case ["metadata"]:
                statement = capability_statement(self.hospital, self._store.types, base)
                return built_answer(200, statement)
            case [resource_type]:
                pairs = parse_qsl(query, keep_blank_values=True)
                return self.search(base, resource_type, pairs, headers)
            case [resource_type, resource_id]:
                return _unless_known(resource_answer(self._find(resource_type, resource_id)), headers)
            case [resource_type, resource_id, "_history"]:
                return built_answer(200, history_bundle(base, self._find(resource_type, resource_id)))
            case [resource_type, resource_id, "_history", version]:
                return self._vread(resource_type, resource_id, version)
        raise FhirError(404, "not-found", "There is nothing at this address")

    def search(self, base: str, resource_type: str, pairs: list[tuple[str, str]], headers: Mapping[str, str]) -> Answer:
        """Answer a search of one resource type with the first page of its matches."""
        self._check_type(resource_type)
        strict = "handling=strict" in headers.get("prefer", "").replace(" ", "")
        query = parse_query(self.hospital, resource_type, pairs, strict=strict)
        matches = query.select(self._store.all(resource_type))
        return built_answer(200, self._searches.first_page(base, Search(resource_type, query, matches)))

    def _page(self, base: str, query: str) -> Answer:
        tokens = [value for name, value in parse_qsl(query) if name == "page"]
        if len(tokens) != 1:
            raise FhirError(400, "not-supported", "Searches across all resource types are not supported")
        return built_answer(200, self._searches.page(base, tokens[0]))

    def _vread(self, resource_type: str, resource_id: str, version: str) -> Answer:
        resource = self._find(resource_type, resource_id)
        if version != resource.content["meta"]["versionId"]:
            raise FhirError(404, "not-found", f"This {resource_type} has no such version")
        return resource_answer(resource)

    def _find(self, resource_type: str, resource_id: str) -> Stored:
        self._check_type(resource_type)
        resource = self._store.get(resource_type, resource_id)
        if resource is None:
            raise FhirError(404, "not-found", f"There is no {resource_type} with this id")
        return resource

    def _check_type(self, resource_type: str) -> None:
        if resource_type not in self._store.types:
            raise FhirError(404, "not-supported", "This resource type is not supported")


def _unless_known(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """Return 304 without a body when the client says that it has this version (If-None-Match)."""
    known = [tag.strip() for tag in headers.get("if-none-match", "").split(",")]
    if answer.etag in known or "*" in known:
        return Answer(304, b"", answer.etag, answer.last_modified)
    return answer
