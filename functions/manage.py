"""The management API: one trigger for each route of its table."""

import azure.functions as func

from functions.app import App
from gateway.exchange import Request, Response, Timing
from gateway.manage.routes import ROUTES, Route

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()
    for route in ROUTES:
        _add(bp, app, route)

    @bp.function_name("manage_openapi")
    @bp.route("manage/v1/openapi.json", methods=_METHODS)
    async def openapi(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, app.service.manage.document)

    # The host tries routes in the order of their functions' names: this one must come after every manage_ name.
    @bp.function_name("proxy_manage")
    @bp.route("manage/{*path}", methods=_METHODS)
    async def nothing(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, app.service.manage.nothing)

    return bp


def _add(bp: func.Blueprint, app: App, route: Route) -> None:
    async def trigger(req: func.HttpRequest) -> func.HttpResponse:
        async def handle(request: Request, timing: Timing) -> Response:
            return await app.service.manage.handle(route, req.route_params, request, timing)

        return await app.answer(req, handle)

    # The worker tells functions apart by their Python name as well.
    trigger.__name__ = route.function
    bp.function_name(route.function)(bp.route(route.path, methods=_METHODS)(trigger))
