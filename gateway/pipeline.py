"""The FHIR route: verify the token, find the tenant, ask its server, and answer in the face's terms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from gateway.errors import (
    BadRequest,
    BodyTooLarge,
    GatewayError,
    LengthRequired,
    MediaTypeRefused,
    NotAcceptable,
    NotSupported,
    ScopeExceeded,
    UpstreamBroken,
)
from gateway.exchange import Request, Response, Timing
from gateway.fhir.batch import BatchEntry, EntryAnswer, read_batch, run_batch
from gateway.fhir.faces import Face, split_face
from gateway.fhir.interactions import Interaction, Kind, parse_interaction
from gateway.fhir.outcome import error_response
from gateway.fhir.urls import UrlRewriter
from gateway.registry import Tenant
from gateway.settings import Settings
from gateway.tokens import AccessToken, Verifier
from gateway.upstream import Upstream, UpstreamResponse

# What a caller's request may tell the upstream, and an upstream's answer the caller. Everything else stays here.
_TO_UPSTREAM = ("if-none-match", "if-modified-since", "prefer")
_TO_CALLER = ("ETag", "Last-Modified", "Retry-After")
_NOT_MODIFIED = 304
_SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Visit:
    """One authorised caller at one face of one tenant."""

    face: Face
    base: str
    token: AccessToken
    tenant: Tenant
    rewriter: UrlRewriter
    request_id: str


class FhirEndpoint:
    """Everything below `/fhir` but the capability statement and discovery."""

    def __init__(self, settings: Settings, verifier: Verifier, upstream: Upstream) -> None:
        self._settings = settings
        self._verifier = verifier
        self._upstream = upstream
        self._rewriters: dict[tuple[str, str], UrlRewriter] = {}

    async def handle(self, request: Request, timing: Timing) -> Response:
        """Answer a FHIR request; every failure is an OperationOutcome of the face. Never raises GatewayError."""
        accept = request.headers.get("accept", "")
        face, prefix, path = split_face(request.path, accept, self._settings.default_fhir_version)
        try:
            self._check_size(request)
            _check_acceptable(accept, request.query, face)
            with timing.hop("auth"):
                token, tenant = await self._verifier.verify(request.headers.get("authorization"))
            with timing.hop("map"):
                base = f"{self._settings.fhir_base_url}{prefix}"
                interaction = parse_interaction(request.method, path)
                if face.version is not tenant.fhir_version:
                    raise NotSupported(f"This tenant's FHIR server speaks {tenant.fhir_version}: use that face.")
                visit = Visit(face, base, token, tenant, self._rewriter(tenant.fhir_url, base), request.request_id)
            if interaction.kind is Kind.BATCH:
                return await self._batch(visit, request, timing)
            query = _search_query(request) if interaction.kind is Kind.SEARCH else request.query
            answer = await self._ask(visit, interaction, query, request.headers, timing)
            with timing.hop("adapt"):
                return self._answer(visit, answer)
        except GatewayError as error:
            return error_response(error, face)

    async def _batch(self, visit: Visit, request: Request, timing: Timing) -> Response:
        if not _is_json(request.headers.get("content-type", "")):
            raise MediaTypeRefused("A batch is sent as JSON.")
        with timing.hop("map"):
            entries = read_batch(request.body, self._settings.max_batch_entries, visit.base)

        async def answer(entry: BatchEntry) -> EntryAnswer:
            if entry.interaction is None:  # pragma: no cover  # run_batch answers these itself
                raise BadRequest("A batch entry needs request.method and request.url.")
            got = await self._ask(visit, entry.interaction, entry.query, dict(entry.headers), Timing())
            resource = None if got.status == _NOT_MODIFIED else self._resource(visit, got)
            return EntryAnswer(
                got.status,
                resource,
                etag=got.headers.get("ETag", ""),
                last_modified=got.headers.get("Last-Modified", ""),
                retry_after=got.headers.get("Retry-After", ""),
            )

        with timing.hop("upstream"):
            bundle, retry_after = await run_batch(entries, answer, visit.face.version)
        headers = {"Content-Type": visit.face.media_type, "Cache-Control": "no-store"}
        if retry_after:
            headers["Retry-After"] = retry_after
        return Response(200, orjson.dumps(bundle), headers)

    async def _ask(
        self, visit: Visit, interaction: Interaction, query: str, headers: Mapping[str, str], timing: Timing
    ) -> UpstreamResponse:
        if not visit.token.scope.reaches(interaction.resource_type):
            raise ScopeExceeded("The token's scope does not reach this resource type.")
        sent = {name: headers[name] for name in _TO_UPSTREAM if name in headers}
        sent["accept"] = visit.face.media_type
        sent["x-request-id"] = visit.request_id
        target = f"{interaction.path}?{query}" if query else interaction.path
        with timing.hop("upstream"):
            return await self._upstream.send(visit.tenant, "GET", target, sent)

    def _answer(self, visit: Visit, got: UpstreamResponse) -> Response:
        headers = {name: got.headers[name] for name in _TO_CALLER if name in got.headers}
        headers["Cache-Control"] = "no-store"
        if got.status == _NOT_MODIFIED:
            return Response(_NOT_MODIFIED, b"", headers)
        headers["Content-Type"] = visit.face.media_type
        return Response(got.status, orjson.dumps(self._resource(visit, got)), headers)

    def _resource(self, visit: Visit, got: UpstreamResponse) -> dict[str, Any]:
        resource = _parse(got)
        if visit.rewriter.mentions_upstream(got.body):
            visit.rewriter.resource(resource)
        return resource

    def _rewriter(self, fhir_url: str, base: str) -> UrlRewriter:
        key = (fhir_url, base)
        if key not in self._rewriters:
            self._rewriters[key] = UrlRewriter(fhir_url.rstrip("/"), base)
        return self._rewriters[key]

    def _check_size(self, request: Request) -> None:
        if "transfer-encoding" in request.headers:
            # The Functions host hands chunked bodies on empty, so they cannot be read.
            raise LengthRequired("Send the body with Content-Length.")
        if len(request.body) > self._settings.max_body_bytes:
            raise BodyTooLarge(f"A request body may have at most {self._settings.max_body_bytes} bytes.")


def _search_query(request: Request) -> str:
    """Query and form of a search together, in that order, exactly as they were sent (search.html#Introduction)."""
    if request.method != "POST":
        return request.query
    if request.body and not _is_form(request.headers.get("content-type", "")):
        raise MediaTypeRefused("The parameters of _search are sent as application/x-www-form-urlencoded.")
    try:
        form = request.body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise BadRequest("The form is not percent-encoded.") from None
    return "&".join(part for part in (request.query, form) if part)


def _check_acceptable(accept: str, query: str, face: Face) -> None:
    wanted = next((value for name, value in parse_qsl(query) if name == "_format"), "")
    if wanted:
        if "xml" in wanted.lower() or "json" not in wanted.lower():
            raise NotAcceptable("The gateway answers in JSON only.")
        return
    types = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if accept and not any(media_type in face.accepts for media_type in types):
        raise NotAcceptable("The gateway answers in JSON only.")


def _is_json(content_type: str) -> bool:
    return "json" in content_type.partition(";")[0].lower()


def _is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _parse(got: UpstreamResponse) -> dict[str, Any]:
    try:
        resource = orjson.loads(got.body)
    except ValueError:
        resource = None
    if not isinstance(resource, dict) or "resourceType" not in resource:
        if got.status in _SUCCESS or got.status >= 500:  # noqa: PLR2004
            raise UpstreamBroken("The FHIR server's answer is not FHIR JSON.", detail=f"status {got.status}")
        return _outcome_for(got.status)
    return resource


def _outcome_for(status: int) -> dict[str, Any]:
    """An upstream's refusal without a FHIR body, given one."""
    text = f"The FHIR server answered with status {status}."
    code = {401: "login", 403: "forbidden", 404: "not-found", 429: "throttled"}.get(status, "processing")
    issue = {"severity": "error", "code": code, "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
