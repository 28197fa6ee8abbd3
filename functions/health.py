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
        report = await app.service.health.report()
        # Degraded is ready: taking every instance out would make an outage of what callers do not notice yet.
        return Response(503 if report["status"] == "unavailable" else 200, orjson.dumps(report), dict(_HEADERS))

    @bp.function_name("health_ready")
    @bp.route("health/ready", methods=["GET", "HEAD"])
    async def ready(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, readiness)

    return bp
