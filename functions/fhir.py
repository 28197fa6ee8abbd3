"""The FHIR routes: capability statements without a token, everything else through the pipeline."""

import azure.functions as func
import orjson

from functions.app import App
from gateway.exchange import Request, Response, Timing
from gateway.fhir.capability import capability_statement
from gateway.fhir.faces import split_face

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_METADATA_MAX_AGE = 300


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()

    async def metadata(request: Request, _timing: Timing) -> Response:
        face, prefix, _ = split_face(request.path, request.headers.get("accept", ""), app.settings.default_fhir_version)
        statement = capability_statement(face, prefix, app.settings)
        headers = {
            "Content-Type": face.media_type,
            "Cache-Control": f"public, max-age={_METADATA_MAX_AGE}",
            "Vary": "Accept",
        }
        return Response(200, orjson.dumps(statement), headers)

    async def interaction(request: Request, timing: Timing) -> Response:
        if request.method in ("GET", "HEAD") and _is_metadata(request.path):
            return await metadata(request, timing)
        return await app.service.fhir.handle(request, timing)

    # The host tries routes in the order of their functions' names: this one must come after every other fhir_ name.
    @bp.function_name("proxy_fhir")
    @bp.route("fhir/{*path}", methods=_METHODS)
    async def proxy(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, interaction)

    return bp


def _is_metadata(path: str) -> bool:
    first, _, rest = path.rstrip("/").partition("/")
    return first == "metadata" if not rest else rest == "metadata"
