"""Whether the process lives, and whether it can serve."""

import azure.functions as func
import orjson

from functions.app import App
from gateway.exchange import Request, Response, Timing

_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()

    async def alive(_request: Request, _timing: Timing) -> Response:
        return Response(200, b'{"status":"ok"}', dict(_HEADERS))

    @bp.function_name("health_live")
    @bp.route("health/live", methods=["GET", "HEAD"])
    async def live(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, alive)

    async def readiness(_request: Request, _timing: Timing) -> Response:
        dependencies = await app.service.health()
        ok = all(state == "ok" for state in dependencies.values())
        body = {"status": "ok" if ok else "unavailable", "dependencies": dependencies}
        return Response(200 if ok else 503, orjson.dumps(body), dict(_HEADERS))

    @bp.function_name("health_ready")
    @bp.route("health/ready", methods=["GET", "HEAD"])
    async def ready(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, readiness)

    return bp
