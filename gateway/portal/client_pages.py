from typing import Any

import orjson

from gateway.errors import GatewayError, Invalid, RegistryError
from gateway.manage.changes import public_etag
from gateway.manage.documents import ClientNew, NewSecret, SecretNew, validated
from gateway.portal.once import redirect_telling, told
from gateway.portal.tenant_forms import problems_of
from gateway.portal.visits import Form, Page, Visit, redirect
from gateway.registry import Client, Tenant

_PAGE = 50
_STALE = 412
_SHOWN_TENANTS = 200
_KNOWN = ("name", "tenants", "jwks_uri", "jwks", "description", "expires")
_SWITCHES = {"enable": True, "disable": False}


async def listing(visit: Visit) -> Page:
    page = await visit.operations.clients.page(_PAGE, visit.query.get("continuation", ""))
    clients = [stored.value for stored in page.items]
    removed = visit.query.get("removed") == "1"
    return visit.show("clients.html", clients=clients, continuation=page.continuation, removed=removed)


async def new(visit: Visit) -> Page:
    return await _new(visit, {"access": "all"})


async def create(visit: Visit) -> Page:
    """Make a client; its first secret is shown by the page that follows."""
    try:
        document = validated(ClientNew, _document(visit.form) | _expiry(visit.form))
        made, shown = await visit.operations.clients.create(visit.by, document)
    except RegistryError as error:
        return await _new(visit, _entered(visit.form), error=error)
    path = f"/portal/clients/{made.stored.value.client_id}"
    return redirect_telling(visit, path, value=shown.client_secret or "", warnings=made.warnings)


async def show(visit: Visit) -> Page:
    once, cookies = told(visit)
    page = await _client(visit, value=once["value"], warnings=once["warnings"])
    page.cookies += cookies
    return page


async def update(visit: Visit) -> Page:
    step = visit.form["step"]
    try:
        patch = {"enabled": _SWITCHES[step]} if step in _SWITCHES else _document(visit.form) | _keys(visit.form)
        made = await visit.operations.clients.update(visit.by, visit.subject, patch, visit.form["etag"] or None)
    except RegistryError as error:
        entered = {} if step in _SWITCHES else _entered(visit.form)
        return await _client(visit, error=error, entered=entered)
    return redirect_telling(visit, f"/portal/clients/{visit.subject}", value="saved", warnings=made.warnings)


async def add_secret(visit: Visit) -> Page:
    document = {"description": visit.form["description"], "revoke_others": bool(visit.form["revoke_others"])}
    try:
        wanted = validated(SecretNew, document | _expiry(visit.form))
        made: NewSecret = await visit.operations.clients.add_secret(visit.by, visit.subject, wanted)
    except RegistryError as error:
        return await _client(visit, error=error, entered=_entered(visit.form))
    return redirect_telling(visit, f"/portal/clients/{visit.subject}", value=made.client_secret)


async def revoke_secret(visit: Visit) -> Page:
    await visit.operations.clients.revoke_secret(visit.by, visit.subject, visit.form["secret_id"])
    return redirect_telling(visit, f"/portal/clients/{visit.subject}", value="secret_revoked")


async def remove(visit: Visit) -> Page:
    stored = await visit.operations.clients.find(visit.subject)
    if visit.form["confirm"] != stored.value.name:
        return await _client(visit, unconfirmed=True)
    try:
        await visit.operations.clients.remove(visit.by, visit.subject, visit.form["etag"] or None)
    except RegistryError as error:
        return await _client(visit, error=error)
    return redirect("/portal/clients?removed=1")


def _document(form: Form) -> dict[str, Any]:
    return {"name": form["name"], "tenants": "*" if form["access"] == "all" else _chosen(form)}


def _chosen(form: Form) -> list[str]:
    """Ids that were ticked, and those that were typed because the list of hospitals is too long to show."""
    ticked = [value.strip() for name, value in form.fields if name == "tenants"]
    typed = form["more_tenants"].replace(",", " ").split()
    return list(dict.fromkeys(text for text in (*ticked, *typed) if text))


def _keys(form: Form) -> dict[str, Any]:
    """Raises Invalid for a key set that is no JSON."""
    text = form["jwks"]
    try:
        jwks = orjson.loads(text) if text else None
    except ValueError as error:
        raise Invalid(f"jwks is not JSON: {error}.", field="jwks") from None
    if jwks is not None and not isinstance(jwks, dict):
        raise Invalid('jwks must be a JWK set: {"keys": [...]} with at least one key.', field="jwks")
    return {"jwks": jwks, "jwks_uri": form["jwks_uri"] or None}


def _expiry(form: Form) -> dict[str, str]:
    return {"expires": form["expires"]} if form["expires"] else {}


def _entered(form: Form) -> dict[str, Any]:
    shown: dict[str, Any] = {name: form[name] for name, _ in form.fields if name not in ("csrf", "etag")}
    return shown | {"tenants": _chosen(form)} if "access" in shown else shown


def _fields(client: Client) -> dict[str, Any]:
    everything = client.tenants == "*"
    return {
        "name": client.name,
        "access": "all" if everything else "some",
        "tenants": [] if everything else list(client.tenants),
        "jwks_uri": client.jwks_uri or "",
        "jwks": orjson.dumps(client.jwks, option=orjson.OPT_INDENT_2).decode() if client.jwks else "",
    }


async def _tenants(visit: Visit, chosen: list[str]) -> tuple[list[Tenant], list[str]]:
    """Hospitals to tick, by name, and chosen ids that are not among them."""
    page = await visit.operations.tenants.page(_SHOWN_TENANTS)
    tenants = sorted((stored.value for stored in page.items), key=lambda tenant: tenant.name.lower())
    return tenants, [one for one in chosen if one not in {tenant.tenant_id for tenant in tenants}]


async def _new(visit: Visit, entered: dict[str, Any], *, error: GatewayError | None = None) -> Page:
    tenants, others = await _tenants(visit, entered.get("tenants", []))
    return visit.show(
        "client_new.html",
        error.status if error else 200,
        entered=entered,
        error=error,
        problems=problems_of(error, _KNOWN),
        hospitals=tenants,
        others=others,
    )


async def _client(  # what the one page can show
    visit: Visit,
    *,
    value: str = "",
    warnings: list[str] | None = None,
    error: GatewayError | None = None,
    entered: dict[str, Any] | None = None,
    unconfirmed: bool = False,
) -> Page:
    stored = await visit.operations.clients.find(visit.subject)
    view = await visit.operations.clients.view(stored)
    fields = _fields(stored.value)
    shown = fields | (entered or {})
    tenants, others = await _tenants(visit, shown["tenants"])
    names = {tenant.tenant_id: tenant.name for tenant in tenants}
    return visit.show(
        "client.html",
        error.status if error else 422 if unconfirmed else 200,
        client=view,
        etag=public_etag(stored),
        value=value if value.startswith("pgw_") else "",
        news="" if value.startswith("pgw_") else value,
        warnings=warnings or [],
        error=error,
        problems=problems_of(error, _KNOWN),
        entered=shown,
        newest=_compared(fields, shown, names) if error is not None and error.status == _STALE else None,
        hospitals=tenants,
        others=others,
        unconfirmed=unconfirmed,
    )


def _compared(theirs: dict[str, Any], yours: dict[str, Any], names: dict[str, str]) -> list[tuple[str, str, str]]:
    """Fields in which two versions of a client differ: name, theirs, yours."""

    def told_of(fields: dict[str, Any]) -> dict[str, str]:
        allowed = "*" if fields["access"] == "all" else ", ".join(names.get(one, one) for one in fields["tenants"])
        return {"name": fields["name"], "tenants": allowed, "jwks_uri": fields["jwks_uri"], "jwks": fields["jwks"]}

    one, other = told_of(theirs), told_of(yours)
    return [(name, one[name], other[name]) for name in one if one[name] != other[name]]
