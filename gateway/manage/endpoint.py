import logging
from collections.abc import Mapping

import orjson

from gateway.audit import By
from gateway.errors import GatewayError, InvalidFields, RegistryError, Unknown, Unsupported
from gateway.exchange import Request, Response, Timing
from gateway.manage.handlers import JSON, Call
from gateway.manage.openapi import openapi
from gateway.manage.operations import Operations
from gateway.manage.operators import Operators
from gateway.manage.routes import Operation, Route
from gateway.settings import Settings

_log = logging.getLogger(__name__)


class ManagementEndpoint:
    """The management API. Every failure is RFC 9457 `application/problem+json`; never raises GatewayError."""

    def __init__(self, settings: Settings, operations: Operations, operators: Operators) -> None:
        self._base = f"{settings.base_url}/manage/v1"
        self._operations = operations
        self._operators = operators

    async def handle(self, route: Route, path: Mapping[str, str], request: Request, timing: Timing) -> Response:
        """Answer a request to that route, whatever its method."""
        try:
            operation = _operation(route, request.method)
            with timing.hop("auth"):
                operator = await self._operators.verify(request.headers.get("authorization"))
                operator.require(operation.role)
            by = By(operator.name, "api", request.request_id)
            call = Call(self._operations, by, request, dict(path), self._base, operation.parameters)
            call.parameters()
            with timing.hop("map"):
                return await operation.handler(call)
        except GatewayError as error:
            return problem(error, request.request_id)

    async def document(self, request: Request, _timing: Timing) -> Response:
        """The OpenAPI document, for anyone: it says nothing that this repository does not."""
        if request.method not in ("GET", "HEAD"):
            return problem(Unsupported("This document can only be read.", "GET, HEAD"), request.request_id)
        return Response(200, orjson.dumps(openapi(self._base)), {**JSON, "Cache-Control": "public, max-age=300"})

    async def nothing(self, request: Request, _timing: Timing) -> Response:
        """The answer below `/manage` where there is nothing."""
        return problem(Unknown("There is nothing here; see /manage/v1/openapi.json."), request.request_id)


def problem(error: GatewayError, correlation_id: str) -> Response:
    """RFC 9457. `field` names the input at fault, `errors` each one when there are several."""
    if error.detail:
        _log.warning("management request refused: %s", error.detail, extra={"correlation_id": correlation_id})
    body: dict[str, object] = {
        "type": "about:blank",
        "title": _TITLES.get(error.status, "Error"),
        "status": error.status,
        "detail": error.public,
        "instance": f"urn:request:{correlation_id}",
    }
    if isinstance(error, RegistryError) and error.field:
        body["field"] = error.field
    if isinstance(error, InvalidFields):
        body["errors"] = [{"field": field, "detail": text} for field, text in error.problems]
    headers = {**JSON, "Content-Type": "application/problem+json", **error.headers}
    return Response(error.status, orjson.dumps(body), headers)


_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    411: "Length Required",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    503: "Service Unavailable",
}


def _operation(route: Route, method: str) -> Operation:
    if method == "HEAD" and "GET" in route.operations:
        method = "GET"
    for known, operation in route.operations.items():
        if known == method:
            return operation
    allowed = [*route.operations, *(["HEAD"] if "GET" in route.operations else [])]
    raise Unsupported(f"Only {', '.join(allowed)} is possible here.", ", ".join(allowed))
