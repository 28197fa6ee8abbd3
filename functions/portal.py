"""The registration portal."""

from functools import cached_property

import azure.functions as func

from functions.app import App
from gateway.exchange import Request, Response, Timing
from gateway.portal import Portal
from gateway.portal.entra import open_entra
from gateway.registry.expiring import ExpiringRows
from gateway.registry.store import SIGN_INS

_METHODS = ["GET", "HEAD", "POST"]


class _Site:
    def __init__(self, app: App) -> None:
        self._app = app

    @cached_property
    def portal(self) -> Portal:
        # Made within the first request, as the service is.
        service = self._app.service
        settings = self._app.settings
        rows = ExpiringRows(service.registry.storage.table(SIGN_INS))
        entra = open_entra(settings, service.authority)
        return Portal(settings, service.operations, service.secrets, service.keys.pepper, rows, entra)


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()
    site = _Site(app)

    async def visit(request: Request, _timing: Timing) -> Response:
        return await site.portal.handle(request)

    @bp.function_name("portal")
    @bp.route("portal/{*path}", methods=_METHODS)
    async def portal(req: func.HttpRequest) -> func.HttpResponse:
        return await app.answer(req, visit)

    return bp
