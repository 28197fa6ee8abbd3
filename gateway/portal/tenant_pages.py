from base64 import b64encode
from functools import partial
from typing import Any

import orjson

from gateway.errors import GatewayError, RegistryError
from gateway.manage.changes import public_etag
from gateway.manage.conformance import CheckFiles
from gateway.manage.documents import TenantNew, validated
from gateway.manage.trials import Trial
from gateway.portal import tenant_forms as forms
from gateway.portal.check_texts import in_language
from gateway.portal.once import redirect_telling, told
from gateway.portal.visits import Page, Visit, redirect
from gateway.registry import Stored, Tenant

_PAGE = 25
_STALE = 412
_SWITCHES = {"enable": True, "disable": False}


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
    removed = visit.query.get("removed") == "1"
    return visit.show("tenants.html", tenants=items, q=wanted, continuation=continuation, removed=removed)


def _words(tenant: Tenant) -> str:
    return f"{tenant.name} {tenant.tenant_id} {tenant.fhir_url} {tenant.system} {tenant.fhir_version}".lower()


async def edit(visit: Visit) -> Page:
    stored = await visit.operations.tenants.find(visit.subject)
    once, cookies = told(visit)
    page = _form(visit, forms.fields_of(stored.value), stored=stored, news=once["value"], warnings=once["warnings"])
    page.cookies += cookies
    return page


async def update(visit: Visit) -> Page:
    """Save, test what was entered without saving it, or switch the tenant on or off."""
    stored = await visit.operations.tenants.find(visit.subject)
    step = visit.form["step"]
    fields = forms.fields_of(stored.value) if step in _SWITCHES else forms.entered(visit.form)
    try:
        patch: dict[str, Any] = {"enabled": _SWITCHES[step]} if step in _SWITCHES else await _patch(visit, fields)
        if step == "test":
            candidate = visit.operations.tenants.changed_candidate(
                validated(TenantNew, patch | {"tenant_id": visit.subject})
            )
            trial = await visit.operations.trials.run(candidate)
            return _form(visit, fields, stored=stored, trial=trial)
        made = await visit.operations.tenants.update(visit.by, visit.subject, patch, visit.form["etag"] or None)
    except RegistryError as error:
        newest = forms.fields_of(stored.value) if error.status == _STALE else None
        return _form(visit, fields, error=error, stored=stored, newest=newest)
    return redirect_telling(visit, f"/portal/tenants/{visit.subject}", value="saved", warnings=made.warnings)


async def _patch(visit: Visit, fields: dict[str, str]) -> dict[str, Any]:
    """Every field of the form, so that one that was emptied is emptied (RFC 7396)."""
    whole = forms.document(visit.form) | {"tenant_id": visit.subject}
    wanted = await forms.checked(visit, whole, fields)
    return wanted.model_dump(mode="json", exclude={"tenant_id", "enabled"})


async def check(visit: Visit) -> Page:
    """Whether the app works with the tenant's server; may take minutes."""
    return await _report(visit, await visit.operations.check_files(visit.subject))


async def last_check(visit: Visit) -> Page:
    """The report that this instance made last, for those too who may not ask the hospital."""
    return await _report(visit, visit.operations.last_check(visit.subject))


async def _report(visit: Visit, found: CheckFiles | None) -> Page:
    stored = await visit.operations.tenants.find(visit.subject)
    if found is None:
        return visit.show("check_none.html", tenant=stored.value)
    say = partial(in_language, visit.language)
    html = found.html(visit.language, say).encode()
    document = orjson.dumps(found.report.model_dump(mode="json"))
    files = {
        "html": f"data:text/html;charset=utf-8;base64,{b64encode(html).decode()}",
        "json": f"data:application/json;base64,{b64encode(document).decode()}",
    }
    return visit.show("check.html", tenant=stored.value, report=found.report, files=files, say_check=say)


async def remove(visit: Visit) -> Page:
    stored = await visit.operations.tenants.find(visit.subject)
    if visit.form["confirm"] != stored.value.name:
        return _form(visit, forms.fields_of(stored.value), stored=stored, unconfirmed=True, status=422)
    try:
        await visit.operations.tenants.remove(visit.by, visit.subject, visit.form["etag"] or None)
    except RegistryError as error:
        return _form(visit, forms.fields_of(stored.value), stored=stored, error=error)
    return redirect("/portal/tenants?removed=1")


def _form(  # noqa: PLR0913  # what the one form can show
    visit: Visit,
    fields: dict[str, str],
    *,
    stored: Stored[Tenant],
    error: GatewayError | None = None,
    newest: dict[str, str] | None = None,
    news: str = "",
    warnings: list[str] | None = None,
    trial: Trial | None = None,
    unconfirmed: bool = False,
    status: int = 200,
) -> Page:
    return visit.show(
        "tenant.html",
        error.status if error else status,
        entered=fields,
        error=error,
        problems=forms.problems_of(error, forms.KNOWN),
        values_lost=error is not None and forms.secret_left_out(visit.form, fields),
        tenant=stored.value,
        etag=public_etag(stored),
        newest=newest,
        news=news,
        warnings=warnings or [],
        trial=trial,
        unconfirmed=unconfirmed,
        **forms.CHOICES,
    )
