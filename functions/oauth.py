"""The authorization server's routes."""

import azure.functions as func
import orjson

from functions.app import App, Handler
from gateway.errors import GatewayError, InvalidRequest, OAuthError, UnsupportedResponseType
from gateway.exchange import Request, Response, Timing
from gateway.registry.models import now
from gateway.tokens.keys import JWKS_MAX_AGE_SECONDS

_NO_STORE = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
_EVERY_METHOD = ["POST", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()

    @_oauth
    async def grant(request: Request, timing: Timing) -> Response:
        _require_post(request)
        with timing.hop("auth"):
            issued = await app.service.tokens.grant(request.headers, request.body)
        return Response(200, orjson.dumps(issued.body), dict(_NO_STORE))

    @bp.function_name("oauth_token")
    @bp.route("oauth2/token", methods=_EVERY_METHOD)
    async def token(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, grant)

    @_oauth
    async def give_up(request: Request, timing: Timing) -> Response:
        _require_post(request)
        with timing.hop("auth"):
            await app.service.revocation.revoke(request.headers, request.body)
        return Response(200, b"", dict(_NO_STORE))

    @bp.function_name("oauth_revoke")
    @bp.route("oauth2/revoke", methods=_EVERY_METHOD)
    async def revoke(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, give_up)

    @_oauth
    async def jwk_set(_request: Request, _timing: Timing) -> Response:
        ring = await app.service.keys.ring()
        headers = {"Content-Type": "application/json", "Cache-Control": f"public, max-age={JWKS_MAX_AGE_SECONDS}"}
        return Response(200, orjson.dumps(ring.jwks(now())), headers)

    @bp.function_name("oauth_jwks")
    @bp.route("oauth2/jwks", methods=["GET", "HEAD"])
    async def jwks(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, jwk_set)

    @_oauth
    async def refuse_authorization(_request: Request, _timing: Timing) -> Response:
        raise UnsupportedResponseType("This server grants tokens to applications only, at the token endpoint.")

    @bp.function_name("oauth_authorize")
    @bp.route("oauth2/authorize", methods=["GET", "HEAD", "POST"])
    async def authorize(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, refuse_authorization)

    return bp


def _require_post(request: Request) -> None:
    if request.method != "POST":
        raise InvalidRequest("Send this request by POST.", status=405, headers={"Allow": "POST"})


def _oauth(handle: Handler) -> Handler:
    """Answer errors as RFC 6749 §5.2 says."""

    async def answer(request: Request, timing: Timing) -> Response:
        try:
            return await handle(request, timing)
        except GatewayError as error:
            code = error.error if isinstance(error, OAuthError) else "temporarily_unavailable"
            body = {"error": code, "error_description": error.public}
            return Response(error.status, orjson.dumps(body), {**_NO_STORE, **error.headers})

    return answer
