"""The HTTP server of a hospital, as an ASGI application."""

import asyncio
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.sandbox.access import Guard, KeyCheck, OpenDoor, TokenIssuer, TokenRequestError
from local.sandbox.answers import Answer, built_answer
from local.sandbox.batch import batch
from local.sandbox.endpoint import FhirEndpoint
from local.sandbox.hospitals import ApiKeyAccess, Hospital, OAuthAccess
from local.sandbox.outcomes import FhirError, operation_outcome
from local.sandbox.releases import RELEASES

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_JSON_FORMATS = {"json", "text/json", "application/json", "application/fhir+json", "application/json+fhir"}
_FORM = "application/x-www-form-urlencoded"


def build_app(hospital: Hospital, delay: float = 0.0) -> Starlette:
    """Return the server of a hospital; `delay` in seconds is waited before each answer from the data."""
    service = _FhirService(hospital, _guard(hospital), delay)
    routes = [
        Route(hospital.base_path, service.answer, methods=_METHODS),
        Route(hospital.base_path + "/{path:path}", service.answer, methods=_METHODS),
    ]
    if isinstance(service.guard, TokenIssuer) and isinstance(hospital.access, OAuthAccess):
        token_endpoint = _TokenEndpoint(service.guard)
        routes.insert(0, Route(hospital.access.token_path, token_endpoint.answer, methods=["POST"]))
    return Starlette(
        routes=routes,
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)],
        exception_handlers={HTTPException: service.answer_unrouted, Exception: service.answer_failure},
    )


def _guard(hospital: Hospital) -> Guard:
    match hospital.access:
        case ApiKeyAccess() as access:
            return KeyCheck(access)
        case OAuthAccess() as access:
            return TokenIssuer(access)
    return OpenDoor()


class _FhirService:
    """HTTP in front of a FHIR endpoint: who may, which interaction, and the media type of the version."""

    def __init__(self, hospital: Hospital, guard: Guard, delay: float) -> None:
        self.guard = guard
        self._endpoint = FhirEndpoint(hospital)
        self._delay = delay
        self._content_type = f"{RELEASES[hospital.version].media_type}; charset=utf-8"

    async def answer(self, request: Request) -> Response:
        """Answer a request below the base."""
        try:
            answer = await self._interact(request)
        except FhirError as error:
            return self._refuse(error)
        return self._respond(answer)

    async def answer_unrouted(self, request: Request, error: Exception) -> Response:
        """Answer a request that no route takes."""
        del request, error
        return self._refuse(FhirError(404, "not-found", "There is nothing at this address"))

    async def answer_failure(self, request: Request, error: Exception) -> Response:
        """Answer a request that the server failed at."""
        del request, error
        return self._refuse(FhirError(500, "exception", "The server failed"))

    async def _interact(self, request: Request) -> Answer:
        _check_format(request)
        path = request.path_params.get("path", "").strip("/")
        hospital = self._endpoint.hospital
        base = f"{request.url.scheme}://{request.url.netloc}{hospital.base_path}"
        query = request.url.query
        if path != "metadata":
            self.guard.check(request.headers, path.partition("/")[0])
            if self._delay:
                await asyncio.sleep(self._delay)
        if request.method in {"GET", "HEAD"}:
            return self._endpoint.get(base, path, query, request.headers)
        if request.method == "POST" and path == "" and hospital.batch:
            return batch(self._endpoint, base, await request.body(), request.headers)
        resource_type, _, rest = path.partition("/")
        if request.method == "POST" and rest == "_search":
            pairs = parse_qsl(query, keep_blank_values=True) + await _form(request)
            return self._endpoint.search(base, resource_type, pairs, request.headers)
        raise FhirError(405, "not-supported", "This server does not support that", {"Allow": "GET, HEAD"})

    def _respond(self, answer: Answer) -> Response:
        headers = {"Content-Type": self._content_type} if answer.body else {}
        if answer.etag:
            headers |= {"ETag": answer.etag, "Last-Modified": answer.last_modified}
        return Response(answer.body, answer.status, headers)

    def _refuse(self, error: FhirError) -> Response:
        response = self._respond(built_answer(error.status, operation_outcome(error.code, error.diagnostics)))
        response.headers.update(error.headers)
        return response


class _TokenEndpoint:
    """HTTP in front of the token issuer (RFC 6749 section 5)."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self._issuer = issuer

    async def answer(self, request: Request) -> Response:
        """Answer a token request."""
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
        try:
            form = dict(await _form(request))
            token = self._issuer.issue(form, request.headers.get("authorization", ""))
            return Response(orjson.dumps(token), headers=headers)
        except FhirError as error:
            failure = TokenRequestError(400, "invalid_request", error.diagnostics)
        except TokenRequestError as error:
            failure = error
        if failure.status == 401:  # noqa: PLR2004 - Unauthorized
            headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
        body = orjson.dumps({"error": failure.error, "error_description": failure.description})
        return Response(body, failure.status, headers)


async def _form(request: Request) -> list[tuple[str, str]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise FhirError(415, "not-supported", f"The body must be {_FORM}")
    try:
        return parse_qsl((await request.body()).decode(), keep_blank_values=True)
    except UnicodeDecodeError as error:
        raise FhirError(400, "structure", "The body is not UTF-8") from error


def _check_format(request: Request) -> None:
    """Refuse what is not JSON; `_format` counts before the Accept header."""
    asked = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    kinds = [kind.partition(";")[0].strip().lower() for kind in asked.split(",")]
    if not any(kind in _JSON_FORMATS or kind in {"*/*", "application/*"} for kind in kinds):
        raise FhirError(406, "not-supported", "This server speaks JSON only")
