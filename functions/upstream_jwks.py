"""The key sets that hospitals' authorization servers check the gateway's assertions by."""

import azure.functions as func
import orjson

from functions.app import App
from gateway.errors import StorageUnavailable
from gateway.exchange import Request, Response, Timing
from gateway.upstream.key_sets import MAX_AGE_SECONDS

_NOT_FOUND = b'{"error":"not_found"}'
_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()

    async def key_set(request: Request, _timing: Timing) -> Response:
        try:
            keys = await app.service.key_sets.of(request.path)
        except StorageUnavailable as error:
            return Response(error.status, b'{"error":"temporarily_unavailable"}', {**_JSON, **error.headers})
        if keys is None:
            return Response(404, _NOT_FOUND, dict(_JSON))
        headers = {
            "Content-Type": "application/jwk-set+json",
            "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}",
        }
        return Response(200, orjson.dumps(keys), headers)

    @bp.function_name("oauth_upstream_jwks")
    @bp.route("oauth2/upstream-jwks/{*path}", methods=["GET", "HEAD"])
    async def upstream_jwks(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, key_set)

    return bp
