"""The registration portal. Its answers may set several cookies, which the host takes only as repeated headers."""

from functools import cached_property

import azure.functions as func

from functions.app import App, to_request
from gateway.portal import Portal

_METHODS = ["GET", "HEAD", "POST"]


class _Site:
    def __init__(self, app: App) -> None:
        self._app = app

    @cached_property
    def portal(self) -> Portal:
        # Made within the first request, as the service is.
        service = self._app.service
        return Portal(self._app.settings, service.operations, service.secrets, service.keys.pepper)


def blueprint(app: App) -> func.Blueprint:
    bp = func.Blueprint()
    site = _Site(app)

    @bp.function_name("portal")
    @bp.route("portal/{*path}", methods=_METHODS)
    async def portal(req: func.HttpRequest) -> func.HttpResponse:
        request = to_request(req)
        page = await site.portal.handle(request)
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
