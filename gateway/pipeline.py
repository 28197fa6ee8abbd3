"""The FHIR route: verify the token, find the tenant, ask its server in its terms, and answer in the face's.

The steps in order: `negotiation` checks the form of the request, `Verifier` the token, `interactions` reads the path,
`terms` adapts the request to the upstream's release, `gateway.upstream` asks, `terms` adapts what comes back, `pages`
and `urls` make its addresses the gateway's. `visit` ties the middle ones together, for a request and for every entry
of a batch.
"""

from typing import Protocol

from gateway.errors import GatewayError, MediaTypeRefused
from gateway.exchange import Request, Response, Timing
from gateway.fhir import binary, negotiation
from gateway.fhir.answers import Answer
from gateway.fhir.batch import BatchEntry, read_batch, run_batch
from gateway.fhir.faces import Face, split_face
from gateway.fhir.interactions import Interaction, Kind, parse_interaction
from gateway.fhir.native_batch import BatchingUpstream
from gateway.fhir.outcome import error_response
from gateway.fhir.paging import PageLinks
from gateway.fhir.terms import Dictionary
from gateway.fhir.visit import Call, Visit
from gateway.registry import Tenant
from gateway.settings import Settings
from gateway.telemetry.access import Access, AccessLog
from gateway.tokens import AccessToken
from gateway.upstream import Upstream
from gateway.upstream.systems import profile_of


class Verifies(Protocol):
    """Tells who calls, for which tenant: `gateway.tokens.Verifier`."""

    async def verify(self, authorization: str | None) -> tuple[AccessToken, Tenant]: ...


class FhirEndpoint:
    """Everything below `/fhir` but the capability statement and discovery."""

    def __init__(  # its parts
        self, settings: Settings, verifier: "Verifies", upstream: Upstream, pages: PageLinks, access: AccessLog
    ) -> None:
        self._settings = settings
        self._verifier = verifier
        self._upstream = upstream
        self._pages = pages
        self._access = access
        self._dictionary = Dictionary(settings.fhir_base_url)

    def behind(self, verifier: "Verifies") -> "FhirEndpoint":
        """The same endpoint behind another verifier, for the conformance check, which draws no token."""
        return FhirEndpoint(self._settings, verifier, self._upstream, self._pages, self._access)

    async def handle(self, request: Request, timing: Timing) -> Response:
        """Answer a FHIR request; every failure is an OperationOutcome of the face. Never raises GatewayError."""
        accept = request.headers.get("accept", "")
        face, prefix, path = split_face(request.path, accept, self._settings.default_fhir_version)
        access = Access(correlation_id=request.request_id, face=face.version, timing=timing)
        try:
            negotiation.check_size(request, self._settings.max_body_bytes)
            with timing.hop("auth"):
                token, tenant = await self._verifier.verify(request.headers.get("authorization"))
            access.caller(token.client_id, token.credential, tenant)
            with timing.hop("map"):
                interaction = parse_interaction(request.method, path)
                access.about(interaction.kind, interaction.resource_type)
                if not binary.is_content(interaction):
                    negotiation.check_acceptable(accept, request.query, face)
                terms = self._dictionary.terms(tenant, face, prefix)
            batches = interaction.kind is Kind.BATCH and profile_of(tenant).supports_batch
            upstream = BatchingUpstream(self._upstream) if batches else self._upstream
            visit = Visit(token, tenant, terms, upstream, self._pages, request.request_id)
            try:
                response = await self._respond(visit, interaction, request, timing, access)
            finally:
                await visit.close()
        except GatewayError as error:
            response = error_response(error, face)
        access.status = response.status
        await self._access.write(access)
        return negotiation.compress(response, request.headers.get("accept-encoding", ""))

    async def _respond(
        self, visit: Visit, interaction: Interaction, request: Request, timing: Timing, access: Access
    ) -> Response:
        if interaction.kind is Kind.BATCH:
            answer = await self._batch(visit, request, timing, access)
        else:
            pairs: negotiation.Pairs = []
            if interaction.kind is Kind.SEARCH:
                with timing.hop("map"):
                    pairs = negotiation.search_pairs(request)
            answer = await visit.answer(Call(interaction, request.query, pairs, request.headers), timing)
            access.shows(interaction.id, pairs, answer.resource)
        with timing.hop("adapt"):
            return answer.response(visit.terms.face, visit.terms.urls)

    async def _batch(self, visit: Visit, request: Request, timing: Timing, access: Access) -> Answer:
        if "json" not in negotiation.media_type(request.headers):
            raise MediaTypeRefused("A batch is sent as JSON.")
        face = visit.terms.face
        with timing.hop("map"):
            entries = read_batch(request.body, self._settings.max_batch_entries, visit.terms.own)
        prefer = request.headers.get("prefer", "")
        hops = timing.beside()

        async def answer(number: int, entry: BatchEntry) -> Answer:
            one = access.of_entry(number)
            one.about(entry.interaction.kind, entry.interaction.resource_type)
            try:
                call = _entry_call(entry, prefer, face)
                got = await visit.answer(call, hops)
                one.status = got.status
                one.shows(entry.interaction.id, call.pairs, got.resource)
            except GatewayError as error:
                one.status = error.status
                raise
            finally:
                await self._access.write(one)
            return got

        bundle, retry_after = await run_batch(entries, answer, face.version)
        # The entries ran side by side: what was not spent adapting them was spent waiting for the upstream.
        adapting = {hop: hops.seconds.get(hop, 0.0) for hop in ("map", "adapt")}
        timing.add("upstream", max(hops.total() - sum(adapting.values()), 0.0))
        for hop, seconds in adapting.items():
            timing.add(hop, seconds)
        access.count = len(entries)
        return Answer(200, {"Retry-After": retry_after} if retry_after else {}, bundle)


def _entry_call(entry: BatchEntry, prefer: str, face: Face) -> Call:
    negotiation.check_acceptable("", entry.query, face)
    # An entry holds a resource, Binary too.
    headers = {"accept": face.media_type, "prefer": prefer, **entry.headers}
    pairs = negotiation.query_pairs(entry.query) if entry.interaction.kind is Kind.SEARCH else []
    return Call(entry.interaction, entry.query, pairs, headers)
