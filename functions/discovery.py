"""Where clients read how to get a token, without one."""

from typing import Any

import azure.functions as func
import orjson

from functions.app import App
from gateway.errors import NotFound
from gateway.exchange import Request, Response, Timing
from gateway.fhir.faces import FACES
from gateway.fhir.outcome import error_response
from gateway.tokens.description import server_metadata, smart_configuration
from gateway.versions import FhirVersion

_METHODS = ["GET", "HEAD"]
_MAX_AGE_SECONDS = 300


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()

    async def describe_server(_request: Request, _timing: Timing) -> Response:
        return _document(server_metadata(app.settings))

    # The host tries routes in the order of their functions' names: these must come before proxy_fhir.
    @bp.function_name("discovery_oauth")
    @bp.route(".well-known/oauth-authorization-server", methods=_METHODS)
    async def oauth_server(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, describe_server)

    async def describe_smart(_request: Request, _timing: Timing) -> Response:
        return _document(smart_configuration(app.settings))

    @bp.function_name("discovery_smart")
    @bp.route("fhir/.well-known/smart-configuration", methods=_METHODS)
    async def smart(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, describe_smart)

    async def no_face(_request: Request, _timing: Timing) -> Response:
        error = NotFound("There is no such FHIR version here: dstu2, stu3 or r4.")
        return error_response(error, FACES[app.settings.default_fhir_version])

    @bp.function_name("discovery_smart_versioned")
    @bp.route("fhir/{version}/.well-known/smart-configuration", methods=_METHODS)
    async def smart_of_face(req: func.HttpRequest) -> func.HttpResponse:
        known = req.route_params.get("version", "").lower() in FhirVersion
        return await app.answer(req, describe_smart if known else no_face)

    return bp


def _document(content: dict[str, Any]) -> Response:
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": f"public, max-age={_MAX_AGE_SECONDS}",
        # Discovery is public; SMART App Launch asks for it to be readable from a browser.
        "Access-Control-Allow-Origin": "*",
    }
    return Response(200, orjson.dumps(content), headers)
