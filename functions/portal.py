"""The registration portal. Its answers may set several cookies, which the host takes only as repeated headers."""

from functools import cached_property

import azure.functions as func

from functions.app import App, defect, to_request
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

    @bp.function_name("portal")
    @bp.route("portal/{*path}", methods=_METHODS)
    async def portal(req: func.HttpRequest) -> func.HttpResponse:
        return await app.watched(req, lambda _timing: show(req))

    async def show(req: func.HttpRequest) -> func.HttpResponse:
        request = to_request(req)
        try:
            page = await site.portal.handle(request)
        except Exception as error:  # noqa: BLE001  # the host would write its text
            failed = defect(error, request)
            return func.HttpResponse(
                failed.body, status_code=failed.status, headers=failed.headers, mimetype="application/json"
            )
        answer = func.HttpResponse(
            page.body,
            status_code=page.status,
            headers=page.headers | {"X-Request-Id": request.request_id},
            mimetype=page.headers["Content-Type"].partition(";")[0],
        )
        for cookie in page.cookies:
            answer.headers.add("Set-Cookie", cookie)
        return answer

    return bp
