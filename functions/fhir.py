"""The FHIR routes: capability statements without a token, everything else through the pipeline."""

from functools import cache

import azure.functions as func
import orjson

from functions.app import App, tell_defect
from gateway.errors import GatewayError, NotAcceptable
from gateway.exchange import Request, Response, Timing
from gateway.fhir import negotiation
from gateway.fhir.capability import capability_statement
from gateway.fhir.faces import Face, split_face
from gateway.fhir.outcome import error_response

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_METADATA_MAX_AGE = 300


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()

    @cache
    def statement(face: Face, prefix: str) -> bytes:
        return orjson.dumps(capability_statement(face, prefix, app.settings))

    async def metadata(request: Request, _timing: Timing) -> Response:
        accept = request.headers.get("accept", "")
        face, prefix, _ = split_face(request.path, accept, app.settings.default_fhir_version)
        try:
            negotiation.check_acceptable(accept, request.query, face)
        except NotAcceptable as error:
            return error_response(error, face)
        headers = {
            "Content-Type": face.media_type,
            "Cache-Control": f"public, max-age={_METADATA_MAX_AGE}",
            "Vary": "Accept",
        }
        response = Response(200, statement(face, prefix), headers)
        return negotiation.compress(response, request.headers.get("accept-encoding", ""))

    async def interaction(request: Request, timing: Timing) -> Response:
        if request.method in ("GET", "HEAD") and _is_metadata(request.path):
            return await metadata(request, timing)
        try:
            return await app.service.fhir.handle(request, timing)
        except Exception as error:  # noqa: BLE001  # the answer is FHIR's, whatever went wrong
            tell_defect(error, request)
            face, _, _ = split_face(request.path, request.headers.get("accept", ""), app.settings.default_fhir_version)
            return error_response(GatewayError("The gateway failed to answer this request."), face)

    # The host tries routes in the order of their functions' names: this one must come after every other fhir_ name.
    @bp.function_name("proxy_fhir")
    @bp.route("fhir/{*path}", methods=_METHODS)
    async def proxy(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, interaction)

    return bp


def _is_metadata(path: str) -> bool:
    first, _, rest = path.rstrip("/").partition("/")
    return first == "metadata" if not rest else rest == "metadata"
