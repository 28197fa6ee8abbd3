"""Taking on a hospital, step by step: its server, its credentials, a test, then saving.

All that was entered travels in the form from step to step, but for values of secrets, which go to the secret store.
"""

import re

from gateway.errors import GatewayError, Invalid, RegistryError
from gateway.manage.checks import Unreachable
from gateway.manage.documents import TenantNew, validated
from gateway.manage.trials import Trial
from gateway.portal import tenant_forms as forms
from gateway.portal.once import redirect_telling
from gateway.portal.visits import Page, Visit

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_NOBODY = "00000000-0000-0000-0000-000000000000"
# What these systems ask for; anybody else's is for the operator to say.
_USUAL = {
    "azure": "entra",
    "microsoft-fhir-server": "entra",
    "epic": "private-key-jwt",
    "oracle": "client-secret-basic",
}


async def new(visit: Visit) -> Page:
    return _page(visit, "server", {})


async def advance(visit: Visit) -> Page:
    """The button that was pressed says where to go from here."""
    match visit.form["step"]:
        case "detect":
            return await _detect(visit)
        case "test":
            return await _test(visit)
        case "save":
            return await _save(visit)
        case "credentials":
            fields = forms.entered(visit.form)
            fields["fhir_url"] = tidied(fields.get("fhir_url", ""))
            return _page(visit, "credentials", {"system": "generic", "auth.kind": "none"} | fields)
    return _page(visit, "server", forms.entered(visit.form))


def tidied(address: str) -> str:
    """The base URL in an address that somebody pasted: without `/metadata`, a query and a slash at the end."""
    address = address.strip().partition("?")[0].partition("#")[0].rstrip("/")
    if address and not _SCHEME.match(address):
        address = f"https://{address}"
    return address.removesuffix("/metadata").rstrip("/")


async def _detect(visit: Visit) -> Page:
    fields = forms.entered(visit.form)
    fields["fhir_url"] = tidied(fields.get("fhir_url", ""))
    try:
        server = {"tenant_id": _NOBODY, "name": "-", "fhir_url": fields["fhir_url"], **forms.extras(visit.form)}
        candidate = visit.operations.tenants.changed_candidate(validated(TenantNew, server))
        found = await visit.operations.trials.discover(candidate)
    except Unreachable as error:
        problem = Invalid(f"No FHIR server answered at this address. {error}", field="fhir_url")
        return _page(visit, "server", fields, error=problem, reachable=False)
    except RegistryError as error:
        return _page(visit, "server", fields, error=error)
    usual = _USUAL.get(found.system, "none")
    facts = {
        "fhir_version": found.version or "auto",
        "system": found.system or "generic",
        "found.version": found.version or "",
        "found.software": found.software,
        "found.system": found.system,
        "found.locked": "1" if found.locked else "",
    }
    return _page(visit, "credentials", {"auth.kind": usual} | fields | facts)


async def _test(visit: Visit) -> Page:
    fields = forms.entered(visit.form)
    try:
        wanted = await forms.checked(visit, forms.document(visit.form), fields)
        trial = await visit.operations.trials.run(await visit.operations.tenants.candidate(wanted))
    except RegistryError as error:
        return _page(visit, "credentials", fields, error=error)
    wrong = next((step for step in trial.steps if step.name == "inputs" and step.state == "fail"), None)
    if wrong is not None:
        return _page(visit, "credentials", fields, error=Invalid(wrong.text, field=wrong.field))
    if trial.discovery and trial.discovery.version:
        fields["fhir_version"] = trial.discovery.version
    return _page(visit, "test", fields, trial=trial)


async def _save(visit: Visit) -> Page:
    fields = forms.entered(visit.form)
    try:
        wanted = await forms.checked(visit, forms.document(visit.form), fields)
        made = await visit.operations.tenants.create(visit.by, wanted)
    except RegistryError as error:
        return _page(visit, "credentials", fields, error=error)
    path = f"/portal/tenants/{made.stored.value.tenant_id}"
    return redirect_telling(visit, path, value="taken_on", warnings=made.warnings)


def _page(  # what the one page can show
    visit: Visit,
    step: str,
    fields: dict[str, str],
    *,
    error: GatewayError | None = None,
    trial: Trial | None = None,
    reachable: bool = True,
) -> Page:
    return visit.show(
        "tenant_new.html",
        error.status if error else 200,
        step=step,
        entered=fields,
        error=error,
        problems=forms.problems_of(error, forms.KNOWN),
        values_lost=forms.secret_left_out(visit.form, fields),
        trial=trial,
        reachable=reachable,
        **forms.CHOICES,
    )
