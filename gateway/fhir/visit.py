"""One authorised caller at one tenant, for one request: interactions in, answers out, all in the face's terms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.errors import ScopeExceeded
from gateway.exchange import Timing
from gateway.fhir import binary, negotiation
from gateway.fhir.answers import NOT_MODIFIED, Answer, passed_headers, retry_header
from gateway.fhir.displays import Displays, Resource, parsed
from gateway.fhir.interactions import Interaction, Kind, parse_interaction
from gateway.fhir.native_batch import BatchingUpstream
from gateway.fhir.negotiation import Pairs
from gateway.fhir.pages import relink
from gateway.fhir.paging import PARAMETER, PageLinks
from gateway.fhir.terms import Asked, Terms, entries_of
from gateway.registry import Tenant
from gateway.tokens import AccessToken
from gateway.upstream import Upstream, UpstreamResponse
from gateway.upstream.answers import UpstreamAnswer, read_answer
from gateway.upstream.page import scoped
from gateway.upstream.paging import Continuation
from gateway.upstream.search import follow, search
from gateway.versions import FhirVersion, adapt_type_name

# What a caller's request may tell the upstream. Everything else stays here: its token, cookies, X-Forwarded-*.
_TO_UPSTREAM = ("if-none-match", "if-modified-since", "prefer")


@dataclass(frozen=True, slots=True)
class Call:
    """One interaction: the request itself, or an entry of its batch.

    `query` is raw; `pairs` are a search's decoded parameters, from query and form; header names are in lower case.
    """

    interaction: Interaction
    query: str
    pairs: Pairs
    headers: Mapping[str, str]


class Visit:
    """Close it when the request is answered."""

    def __init__(
        self, token: AccessToken, tenant: Tenant, terms: Terms, upstream: Upstream, pages: PageLinks, request_id: str
    ) -> None:
        self.terms = terms
        self._token = token
        self._tenant = tenant
        self._upstream = upstream
        self._pages = pages
        self._request_id = request_id
        self._displays = Displays()

    async def close(self) -> None:
        await self._displays.close()
        if isinstance(self._upstream, BatchingUpstream):
            await self._upstream.close()

    async def answer(self, call: Call, timing: Timing) -> Answer:
        """Carry out one interaction. Raises FhirError and StorageUnavailable."""
        interaction = call.interaction
        if not self._reaches(interaction.resource_type):
            raise ScopeExceeded("The token's scope does not reach this resource type.")
        if binary.is_content(interaction) and not negotiation.wants_fhir_json(call.headers, call.query):
            return await self._content(call, timing)
        with timing.hop("map"):
            strict = "handling=strict" in call.headers.get("prefer", "")
            page = next((value for name, value in call.pairs if name == PARAMETER), "")
            asked = self.terms.asked(interaction, [] if page else call.pairs, strict=strict)
        if page:
            return await self._page(call, asked, page, timing)
        if interaction.kind is Kind.SEARCH:
            return await self._search(call, asked, timing)
        return await self._read(call, asked, timing)

    async def _content(self, call: Call, timing: Timing) -> Answer:
        accept = call.headers.get("accept") or "*/*"
        with timing.hop("upstream"):
            got = await self._send(call, call.interaction, accept)
        return binary.answer(got, self.terms)

    async def _read(self, call: Call, asked: Asked, timing: Timing) -> Answer:
        interaction, terms = call.interaction, self.terms
        if asked.resource_type != interaction.resource_type:
            interaction = replace(interaction, resource_type=asked.resource_type)
        with timing.hop("upstream"):
            got = await self._send(call, interaction, terms.accept)
        headers = passed_headers(got.headers, terms.urls)
        if got.status == NOT_MODIFIED:
            return Answer(NOT_MODIFIED, headers)
        with timing.hop("adapt"):
            found = read_answer(got)
        if interaction.kind is not Kind.HISTORY:
            with timing.hop("upstream"):
                await self._displays.fill([found.resource], self._referenced)
        with timing.hop("adapt"):
            shown = terms.resource(found.resource, asked)
            if shown["resourceType"] == "Bundle":
                address = f"{terms.base}/{call.interaction.path}"
                await self._relink(call, shown, address, Continuation(asked.resource_type))
            return Answer(found.status, headers, shown)

    async def _search(self, call: Call, asked: Asked, timing: Timing) -> Answer:
        with timing.hop("upstream"):
            found = await search(
                self._upstream, self._tenant, asked.resource_type, asked.parameters, self._headers(call)
            )
        return await self._found(call, asked, found, scoped(asked.resource_type, asked.parameters), timing)

    async def _page(self, call: Call, asked: Asked, token: str, timing: Timing) -> Answer:
        link = await self._pages.open(self._tenant, self.terms.face.version, call.interaction.resource_type, token)
        with timing.hop("upstream"):
            found = await follow(self._upstream, self._tenant, link, self._headers(call))
        _, continuation = Continuation.of(link)
        return await self._found(call, asked, found, continuation or Continuation(asked.resource_type), timing)

    async def _found(
        self, call: Call, asked: Asked, found: UpstreamAnswer, continuation: Continuation, timing: Timing
    ) -> Answer:
        headers = retry_header(found.headers)
        if not found.is_bundle:
            with timing.hop("adapt"):
                return Answer(found.status, headers, self.terms.resource(found.resource, asked))
        resources = self._within_scope(found.resource, asked)
        with timing.hop("upstream"):
            await self._displays.fill(resources, self._referenced)
        with timing.hop("adapt"):
            shown = self.terms.bundle(found.resource, asked)
            address = self.terms.address(call.interaction.resource_type, call.pairs)
            await self._relink(call, shown, address, continuation)
            return Answer(found.status, headers, shown)

    def _within_scope(self, bundle: Resource, asked: Asked) -> list[Resource]:
        """The resources of a Bundle; of types that the scope does not reach (included ones) none stays in it."""
        if self._token.scope.types is not None:
            free = (asked.resource_type, "OperationOutcome")
            bundle["entry"] = [
                entry
                for entry in entries_of(bundle)
                if isinstance(held := entry.get("resource"), dict)
                and ((found := held.get("resourceType")) in free or self._reaches(self.terms.shown_type(str(found))))
            ]
        return [held for entry in entries_of(bundle) if isinstance(held := entry.get("resource"), dict)]

    async def _relink(self, call: Call, bundle: Resource, address: str, continuation: Continuation) -> None:
        shown = (call.interaction.resource_type, address, continuation)
        await relink(self._pages, self._tenant, self.terms, bundle, shown)

    def _reaches(self, resource_type: str) -> bool:
        """By the face's name of the type, or by today's."""
        reaches = self._token.scope.reaches
        return reaches(resource_type) or reaches(
            adapt_type_name(resource_type, self.terms.face.version, FhirVersion.R4)
        )

    def _headers(self, call: Call) -> dict[str, str]:
        sent = {name: value for name in _TO_UPSTREAM if (value := call.headers.get(name))}
        sent["x-request-id"] = self._request_id
        return sent

    async def _send(self, call: Call, interaction: Interaction, accept: str) -> UpstreamResponse:
        # Elements have other names in another release, and a status that is not sent cannot tell of an error.
        query = negotiation.forwarded_query(call.query, *(("_elements",) if self.terms.converts else ()))
        target = f"{interaction.path}?{query}" if query else interaction.path
        return await self._upstream.send(self._tenant, "GET", target, {**self._headers(call), "accept": accept})

    async def _referenced(self, reference: str) -> Resource | None:
        """What a literal reference of the upstream's points to, for its display."""
        path = self.terms.urls.relative(reference) if "://" in reference else reference
        if path is None:
            return None
        # A stranger wrote it: only what is a plain read is sent.
        interaction = parse_interaction("GET", path)
        if not interaction.id or not self._reaches(self.terms.shown_type(interaction.resource_type)):
            return None
        headers = {"accept": self.terms.accept, "x-request-id": self._request_id}
        got = await self._upstream.send(self._tenant, "GET", interaction.path, headers)
        return parsed(got.status, got.body)
