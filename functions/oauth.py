"""The authorization server's routes."""

import azure.functions as func
import orjson

from functions.app import App
from gateway.errors import GatewayError, OAuthError, UnsupportedResponseType
from gateway.exchange import Request, Response, Timing
from gateway.registry.models import now

_NO_STORE = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
_JWKS_MAX_AGE = 300


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()

    async def grant(request: Request, timing: Timing) -> Response:
        if request.method != "POST":
            return _error(OAuthError("Token requests are sent by POST.", headers={"Allow": "POST"}), status=405)
        try:
            with timing.hop("auth"):
                issued = await app.service.tokens.grant(request.headers, request.body)
        except GatewayError as error:
            return _error(error)
        return Response(200, orjson.dumps(issued.body), dict(_NO_STORE))

    @bp.function_name("oauth_token")
    @bp.route("oauth2/token", methods=["POST", "GET", "HEAD", "PUT", "PATCH", "DELETE"])
    async def token(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, grant)

    async def jwk_set(_request: Request, _timing: Timing) -> Response:
        try:
            ring = await app.service.keys.ring()
        except GatewayError as error:
            return _error(error)
        headers = {"Content-Type": "application/json", "Cache-Control": f"public, max-age={_JWKS_MAX_AGE}"}
        return Response(200, orjson.dumps(ring.jwks(now())), headers)

    @bp.function_name("oauth_jwks")
    @bp.route("oauth2/jwks", methods=["GET", "HEAD"])
    async def jwks(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, jwk_set)

    async def refuse_authorization(_request: Request, _timing: Timing) -> Response:
        return _error(UnsupportedResponseType("This server grants tokens to applications only, at the token endpoint."))

    @bp.function_name("oauth_authorize")
    @bp.route("oauth2/authorize", methods=["GET", "HEAD", "POST"])
    async def authorize(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, refuse_authorization)

    return bp


def _error(error: GatewayError, status: int | None = None) -> Response:
    """RFC 6749 §5.2."""
    code = error.error if isinstance(error, OAuthError) else "temporarily_unavailable"
    body = {"error": code, "error_description": error.public}
    return Response(status or error.status, orjson.dumps(body), {**_NO_STORE, **error.headers})
