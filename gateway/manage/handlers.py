"""What each operation of the management API does with a call. The API's table (routes.py) says when."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import orjson
from pydantic import BaseModel

from gateway.audit import By
from gateway.errors import Invalid, Malformed, Unknown
from gateway.exchange import Request, Response
from gateway.manage.changes import public_etag
from gateway.manage.documents import ClientNew, ClientView, SecretNew, TenantNew, TenantView, validated
from gateway.manage.durations import parse_since
from gateway.manage.lists import AuditEntry, AuditPage, ClientPage, SecretList, TenantPage
from gateway.manage.operations import Operations
from gateway.manage.tenants import Made, tenant_view
from gateway.registry import Page, Stored
from gateway.registry.models import now

JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
MAX_BODY_BYTES = 262_144
_DEFAULT_PAGE = 100
_LARGEST_PAGE = 1000
_BODY_TYPES = ("application/json", "application/merge-patch+json")


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised request: `path` holds the route's parameters, `base` is the URL of the API's root."""

    operations: Operations
    by: By
    request: Request
    path: dict[str, str]
    base: str
    allowed_parameters: tuple[str, ...] = ()

    def id(self, name: str, what: str) -> str:
        """A GUID out of the path. Raises Unknown: nothing has an id that is none."""
        try:
            return str(UUID(self.path.get(name, "")))
        except ValueError:
            raise Unknown(f"There is no {what} of that id; ids are GUIDs.", field=f"{what}_id") from None

    def parameters(self) -> dict[str, str]:
        """The query. Raises Malformed for a parameter that is not known, or is given twice."""
        found: dict[str, str] = {}
        for name, value in parse_qsl(self.request.query, keep_blank_values=True):
            if name not in self.allowed_parameters:
                known = ", ".join(self.allowed_parameters) or "none"
                raise Malformed(f"The parameter {name[:40]!r} is not known; known: {known}.", field=name[:40])
            if name in found:
                raise Malformed(f"The parameter {name} is given twice.", field=name)
            found[name] = value
        return found

    def size(self) -> int:
        """Raises Invalid unless `top` is from 1 to 1000."""
        text = self.parameters().get("top", str(_DEFAULT_PAGE))
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= _LARGEST_PAGE):  # noqa: PLR2004
            raise Invalid(f"top must be a number from 1 to {_LARGEST_PAGE}.", field="top")
        return int(text)

    def body(self) -> Any:  # noqa: ANN401  # JSON from a stranger
        """Raises Malformed."""
        headers = self.request.headers
        if "transfer-encoding" in headers:
            # The Functions host hands chunked bodies on empty, so they cannot be read.
            raise Malformed("Send the body with Content-Length.", status=411)
        if len(self.request.body) > MAX_BODY_BYTES:
            raise Malformed(f"The body may have at most {MAX_BODY_BYTES} bytes.", status=413)
        media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if media_type not in _BODY_TYPES:
            raise Malformed("Send the body as application/json.", status=415)
        try:
            return orjson.loads(self.request.body)
        except ValueError:
            raise Malformed("The body is not JSON.") from None

    @property
    def if_match(self) -> str | None:
        return self.request.headers.get("if-match")

    def next_link(self, route: str, page: Page[Any]) -> str | None:
        if not page.continuation:
            return None
        kept = {name: value for name, value in self.parameters().items() if name != "continuation"}
        return f"{self.base}/{route}?{urlencode(kept | {'continuation': page.continuation})}"


async def list_tenants(call: Call) -> Response:
    page = await call.operations.tenants.page(call.size(), call.parameters().get("continuation", ""))
    views = tuple(TenantView.model_validate(stored.value.model_dump()) for stored in page.items)
    return _json(200, TenantPage(value=views, nextLink=call.next_link("tenants", page)))


async def create_tenant(call: Call) -> Response:
    made = await call.operations.tenants.create(call.by, validated(TenantNew, call.body()))
    return _made(made, tenant_view(made), f"{call.base}/tenants/{made.stored.value.tenant_id}")


async def get_tenant(call: Call) -> Response:
    stored = await call.operations.tenants.find(call.id("id", "tenant"))
    return _json(200, tenant_view(Made(stored)), stored)


async def check_tenant(call: Call) -> Response:
    report = await call.operations.check(call.id("id", "tenant"))
    return Response(200, orjson.dumps(report.model_dump(mode="json")), dict(JSON))


async def update_tenant(call: Call) -> Response:
    made = await call.operations.tenants.update(call.by, call.id("id", "tenant"), call.body(), call.if_match)
    return _json(200, tenant_view(made), made.stored)


async def remove_tenant(call: Call) -> Response:
    await call.operations.tenants.remove(call.by, call.id("id", "tenant"), call.if_match)
    return Response(204, b"", {"Cache-Control": "no-store"})


async def list_clients(call: Call) -> Response:
    page = await call.operations.clients.page(call.size(), call.parameters().get("continuation", ""))
    views = tuple(ClientView.of(stored.value) for stored in page.items)
    return _json(200, ClientPage(value=views, nextLink=call.next_link("clients", page)))


async def create_client(call: Call) -> Response:
    made, view = await call.operations.clients.create(call.by, validated(ClientNew, call.body()))
    return _made(made, view, f"{call.base}/clients/{view.client_id}")


async def get_client(call: Call) -> Response:
    stored = await call.operations.clients.find(call.id("id", "client"))
    return _json(200, await call.operations.clients.view(stored), stored)


async def update_client(call: Call) -> Response:
    made = await call.operations.clients.update(call.by, call.id("id", "client"), call.body(), call.if_match)
    return _json(200, ClientView.of(made.stored.value, warnings=made.warnings), made.stored)


async def remove_client(call: Call) -> Response:
    await call.operations.clients.remove(call.by, call.id("id", "client"), call.if_match)
    return Response(204, b"", {"Cache-Control": "no-store"})


async def list_secrets(call: Call) -> Response:
    return _json(200, SecretList(value=await call.operations.clients.secrets(call.id("id", "client"))))


async def add_secret(call: Call) -> Response:
    client_id = call.id("id", "client")
    new = validated(SecretNew, call.body() if call.request.body else {})
    return _json(201, await call.operations.clients.add_secret(call.by, client_id, new))


async def revoke_secret(call: Call) -> Response:
    await call.operations.clients.revoke_secret(call.by, call.id("id", "client"), call.id("secret_id", "secret"))
    return Response(204, b"", {"Cache-Control": "no-store"})


async def list_audit(call: Call) -> Response:
    parameters = call.parameters()
    since = parameters.get("since")
    page = await call.operations.trail.page(
        call.size(),
        parameters.get("continuation", ""),
        tenant_id=_guid(parameters, "tenant"),
        client_id=_guid(parameters, "client"),
        since=parse_since(since, now()) if since is not None else None,
    )
    entries = tuple(AuditEntry.model_validate(entry.view()) for entry in page.items)
    return _json(200, AuditPage(value=entries, nextLink=call.next_link("audit", page)))


def _guid(parameters: dict[str, str], name: str) -> str:
    text = parameters.get(name)
    if text is None:
        return ""
    try:
        return str(UUID(text))
    except ValueError:
        raise Invalid(f"{name} must be a GUID.", field=name) from None


def _made(made: Made[Any], view: BaseModel, location: str) -> Response:
    response = _json(201 if made.created else 200, view, made.stored)
    if made.created:
        response.headers["Location"] = location
    return response


def _json(status: int, view: BaseModel, stored: Stored[Any] | None = None) -> Response:
    body = view.model_dump_json(exclude_none=True).encode()
    etag = {"ETag": public_etag(stored)} if stored is not None else {}
    return Response(status, body, {**JSON, **etag})
