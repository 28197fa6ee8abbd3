from typing import Any

from gateway.errors import GatewayError, InvalidFields, RegistryError
from gateway.manage.changes import public_etag
from gateway.manage.documents import TenantNew, validated
from gateway.portal.visits import Form, Page, Visit, redirect
from gateway.registry import Stored, Tenant
from gateway.upstream.systems import PROFILES

_PAGE = 25
_STALE = 412
_AUTH_FIELDS = {
    "none": (),
    "header": ("name", "secret"),
    "basic": ("username", "secret"),
    "client-secret-post": ("client_id", "secret", "token_url", "scope", "audience"),
    "client-secret-basic": ("client_id", "secret", "token_url", "scope", "audience"),
    "private-key-jwt": ("client_id", "key", "kid", "alg", "token_url", "scope"),
    "entra": ("tenant", "client_id", "secret", "certificate", "scope"),
}
_OF_AUTH = tuple(dict.fromkeys(name for names in _AUTH_FIELDS.values() for name in names))
_PLAIN = ("tenant_id", "name", "fhir_url", "fhir_version", "system", "mrn_system")


async def listing(visit: Visit) -> Page:
    wanted = visit.query.get("q", "").strip()
    items: list[Tenant] = []
    continuation, text = visit.query.get("continuation", ""), wanted.lower()
    while True:
        page = await visit.operations.tenants.page(_PAGE, continuation)
        items += [stored.value for stored in page.items if text in _words(stored.value)]
        continuation = page.continuation
        if not continuation or len(items) >= _PAGE:
            break
    return visit.show("tenants.html", tenants=items, q=wanted, continuation=continuation)


def _words(tenant: Tenant) -> str:
    return f"{tenant.name} {tenant.tenant_id} {tenant.fhir_url} {tenant.system} {tenant.fhir_version}".lower()


async def new(visit: Visit) -> Page:
    return _form(visit, {"fhir_version": "auto", "system": "generic", "auth.kind": "none"})


async def create(visit: Visit) -> Page:
    """Test the connection, or save; in either case nothing that was entered is lost."""
    entered = dict(visit.form.fields)
    try:
        document = validated(TenantNew, _document(visit.form))
        if visit.form["step"] == "test":
            # Asked for its version with the credentials entered; `auto`, so that the server itself decides.
            tenant = await visit.operations.tenants.prepared(document.model_copy(update={"fhir_version": "auto"}))
            return _form(visit, entered, detected=tenant.fhir_version.value)
        made = await visit.operations.tenants.create(visit.by, document)
    except RegistryError as error:
        return _form(visit, entered, error=error)
    return redirect(f"/portal/tenants/{made.stored.value.tenant_id}?saved=1")


async def edit(visit: Visit) -> Page:
    stored = await visit.operations.tenants.find(visit.subject)
    return _form(visit, _fields(stored.value), stored=stored, saved="saved" in visit.query)


async def update(visit: Visit) -> Page:
    stored = await visit.operations.tenants.find(visit.subject)
    if visit.form["step"] in ("enable", "disable"):
        patch: dict[str, Any] = {"enabled": visit.form["step"] == "enable"}
    else:
        patch = {name: value for name, value in _document(visit.form).items() if name != "tenant_id"}
        patch.setdefault("mrn_system", None)
    try:
        await visit.operations.tenants.update(visit.by, visit.subject, patch, visit.form["etag"] or None)
    except RegistryError as error:
        entered = dict(visit.form.fields) if "auth" in patch else _fields(stored.value)
        newest = _fields(stored.value) if error.status == _STALE else None
        return _form(visit, entered, error=error, stored=stored, newest=newest)
    return redirect(f"/portal/tenants/{visit.subject}?saved=1")


async def check(visit: Visit) -> Page:
    """Whether the app works with the tenant's server; may take minutes."""
    report = await visit.operations.check(visit.subject)
    stored = await visit.operations.tenants.find(visit.subject)
    return visit.show("check.html", tenant=stored.value, report=report)


async def remove(visit: Visit) -> Page:
    stored = await visit.operations.tenants.find(visit.subject)
    if visit.form["confirm"] != stored.value.name:
        return _form(visit, _fields(stored.value), stored=stored, unconfirmed=True, status=422)
    await visit.operations.tenants.remove(visit.by, visit.subject, visit.form["etag"] or None)
    return redirect("/portal/tenants")


def _document(form: Form) -> dict[str, Any]:
    kind = form["auth.kind"] or "none"
    names = _AUTH_FIELDS.get(kind, ())
    auth = {"kind": kind} | {name: form[f"auth.{name}"] for name in names if form[f"auth.{name}"]}
    return {name: form[name] for name in _PLAIN if form[name]} | {"auth": auth}


def _fields(tenant: Tenant) -> dict[str, str]:
    facts = tenant.model_dump(mode="json")
    shown = {name: facts[name] or "" for name in _PLAIN}
    return shown | {f"auth.{name}": str(value) for name, value in facts["auth"].items() if value is not None}


def _form(  # noqa: PLR0913  # what the one form can show
    visit: Visit,
    entered: dict[str, str],
    *,
    error: GatewayError | None = None,
    stored: Stored[Tenant] | None = None,
    newest: dict[str, str] | None = None,
    detected: str = "",
    saved: bool = False,
    unconfirmed: bool = False,
    status: int = 200,
) -> Page:
    problems = dict(error.problems) if isinstance(error, InvalidFields) else {}
    if isinstance(error, RegistryError) and error.field and not problems:
        problems = {error.field: error.public}
    return visit.show(
        "tenant.html",
        error.status if error else status,
        entered=entered,
        error=error,
        problems=problems,
        tenant=stored.value if stored else None,
        etag=public_etag(stored) if stored else "",
        newest=newest,
        detected=detected,
        saved=saved,
        unconfirmed=unconfirmed,
        plain=_PLAIN,
        of_auth=_OF_AUTH,
        kinds=tuple(_AUTH_FIELDS),
        systems=sorted(PROFILES),
    )
