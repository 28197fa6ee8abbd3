import re
from typing import Any

from gateway.errors import RegistryError
from gateway.manage.changes import public_etag
from gateway.manage.documents import ClientNew, ClientView, NewSecret, SecretNew, validated
from gateway.portal.visits import Form, Page, Visit, redirect

_PAGE = 50


async def listing(visit: Visit) -> Page:
    page = await visit.operations.clients.page(_PAGE, visit.query.get("continuation", ""))
    views = [ClientView.of(stored.value) for stored in page.items]
    return visit.show("clients.html", clients=views, continuation=page.continuation)


async def new(visit: Visit) -> Page:
    return visit.show("client_new.html", entered={"tenants": "*"}, error=None)


async def create(visit: Visit) -> Page:
    """The one answer that shows the secret: reloading it sends the form anew and is refused or makes another."""
    try:
        document = validated(ClientNew, _document(visit.form) | _expiry(visit.form))
        made, shown = await visit.operations.clients.create(visit.by, document)
    except RegistryError as error:
        return visit.show("client_new.html", error.status, entered=dict(visit.form.fields), error=error)
    return await _client(visit, made.stored.value.client_id, value=shown.client_secret or "", warnings=made.warnings)


async def show(visit: Visit) -> Page:
    return await _client(visit, visit.subject)


async def update(visit: Visit) -> Page:
    patch: dict[str, Any]
    if visit.form["step"] in ("enable", "disable"):
        patch = {"enabled": visit.form["step"] == "enable"}
    else:
        patch = _document(visit.form)
        patch["jwks_uri"] = visit.form["jwks_uri"] or None
    try:
        await visit.operations.clients.update(visit.by, visit.subject, patch, visit.form["etag"] or None)
    except RegistryError as error:
        return await _client(visit, visit.subject, error=error, entered=dict(visit.form.fields))
    return redirect(f"/portal/clients/{visit.subject}")


async def add_secret(visit: Visit) -> Page:
    document = {"description": visit.form["description"], "revoke_others": bool(visit.form["revoke_others"])}
    try:
        wanted = validated(SecretNew, document | _expiry(visit.form))
        made: NewSecret = await visit.operations.clients.add_secret(visit.by, visit.subject, wanted)
    except RegistryError as error:
        return await _client(visit, visit.subject, error=error, entered=dict(visit.form.fields))
    return await _client(visit, visit.subject, value=made.client_secret)


async def revoke_secret(visit: Visit) -> Page:
    await visit.operations.clients.revoke_secret(visit.by, visit.subject, visit.form["secret_id"])
    return redirect(f"/portal/clients/{visit.subject}")


async def remove(visit: Visit) -> Page:
    stored = await visit.operations.clients.find(visit.subject)
    if visit.form["confirm"] != stored.value.name:
        return await _client(visit, visit.subject, unconfirmed=True)
    await visit.operations.clients.remove(visit.by, visit.subject, visit.form["etag"] or None)
    return redirect("/portal/clients")


def _document(form: Form) -> dict[str, Any]:
    tenants = [part for part in re.split(r"[\s,]+", form["tenants"]) if part]
    return {"name": form["name"], "tenants": "*" if tenants == ["*"] else tenants}


def _expiry(form: Form) -> dict[str, str]:
    return {"expires": form["expires"]} if form["expires"] else {}


async def _client(  # noqa: PLR0913  # what the one page can show
    visit: Visit,
    client_id: str,
    *,
    value: str = "",
    warnings: tuple[str, ...] = (),
    error: RegistryError | None = None,
    entered: dict[str, str] | None = None,
    unconfirmed: bool = False,
) -> Page:
    stored = await visit.operations.clients.find(client_id)
    view = await visit.operations.clients.view(stored)
    fields = {
        "name": view.name,
        "tenants": "*" if view.tenants == "*" else "\n".join(view.tenants),
        "jwks_uri": view.jwks_uri or "",
    }
    return visit.show(
        "client.html",
        error.status if error else 422 if unconfirmed else 200,
        client=view,
        etag=public_etag(stored),
        value=value,
        warnings=warnings,
        error=error,
        entered=fields | (entered or {}),
        unconfirmed=unconfirmed,
    )
