"""The fields of a hospital, as the take-on and the page of a tenant share them."""

from typing import Any

from gateway.errors import GatewayError, InvalidFields, RegistryError
from gateway.manage.documents import TenantNew, validated
from gateway.portal.visits import Form, Visit
from gateway.registry import Tenant
from gateway.upstream.systems import PROFILES

AUTH_FIELDS = {
    "none": (),
    "header": ("name", "secret"),
    "basic": ("username", "secret"),
    "client-secret-post": ("client_id", "secret", "token_url", "scope", "audience"),
    "client-secret-basic": ("client_id", "secret", "token_url", "scope", "audience"),
    "private-key-jwt": ("client_id", "key", "kid", "alg", "token_url", "scope"),
    "entra": ("tenant", "client_id", "secret", "certificate", "scope"),
}
"""The fields of each way to sign in at a hospital."""

SECRETS = ("secret", "key", "certificate")
"""Fields that name a secret; `value.{field}` of a form is a new value for it."""

ORDER = ("name", "username", "tenant", "client_id", *SECRETS, "kid", "alg", "token_url", "scope", "audience")
PLAIN = ("tenant_id", "name", "fhir_url", "fhir_version", "system", "mrn_system", "max_concurrency", "notes")
EXTRAS = {"extra_headers": ": ", "extra_parameters": "="}
"""Fields of one `name` and `value` a line, with what stands between the two."""
KNOWN = (*PLAIN, *EXTRAS, *(f"auth.{name}" for name in ORDER), "auth.kind")
"""Every field that a problem can be shown beside."""
CHOICES = {
    "kinds": tuple(AUTH_FIELDS),
    "auth_fields": AUTH_FIELDS,
    "order": ORDER,
    "secret_fields": SECRETS,
    "profiles": PROFILES,
}
"""What the templates draw the fields of a hospital from."""
_WHILE_CHECKED = "to-be-kept"


def document(form: Form) -> dict[str, Any]:
    """A tenant as the management API writes it; fields that were left empty are absent. Raises InvalidFields."""
    kind = form["auth.kind"] or "none"
    names = AUTH_FIELDS.get(kind, ())
    auth = {"kind": kind} | {name: form[f"auth.{name}"] for name in names if form[f"auth.{name}"]}
    made: dict[str, Any] = {name: form[name] for name in PLAIN if form[name]} | {"auth": auth} | extras(form)
    if (most := form["max_concurrency"]).isascii() and most.isdecimal():
        made["max_concurrency"] = int(most[:9])
    return made


def extras(form: Form) -> dict[str, dict[str, str]]:
    """Fixed headers and parameters, as far as there are some. Raises InvalidFields with the lines at fault."""
    found: dict[str, dict[str, str]] = {}
    problems = []
    for field, between in EXTRAS.items():
        for number, line in enumerate(form[field].splitlines(), start=1):
            name, mark, value = (part.strip() for part in line.partition(between.strip()))
            pairs = found.setdefault(field, {})
            if name in pairs:
                problems.append((field, f"must hold each name once; see line {number}"))
            elif mark:
                pairs[name] = value
            elif name:
                problems.append((field, f"must have {between.strip()} between name and value; see line {number}"))
    if problems:
        raise InvalidFields(problems)
    return found


def entered(form: Form) -> dict[str, str]:
    """What a form that comes back shows again: everything but values of secrets."""
    shown = {name: form[name] for name, _ in form.fields if not name.startswith("value.") and name != "csrf"}
    # Browsers send lines with CR LF.
    return shown | {name: "\n".join(shown[name].splitlines()) for name in EXTRAS if name in shown}


def values(form: Form) -> dict[str, str]:
    """New values of secrets, of the chosen way to sign in only, by the field that is to name them."""
    kept = AUTH_FIELDS.get(form["auth.kind"], ())
    return {field: form[f"value.{field}"] for field in SECRETS if field in kept and form[f"value.{field}"]}


async def checked(visit: Visit, made: dict[str, Any], fields: dict[str, str]) -> TenantNew:
    """The document as a tenant to be. Values of secrets are put into the secret store once all else is right; their
    names then stand in `fields`. Raises Invalid, StorageUnavailable.
    """
    new_values = values(visit.form)
    made = made | {"auth": made["auth"] | dict.fromkeys(new_values, _WHILE_CHECKED)}
    tenant = validated(TenantNew, made)
    for field, value in new_values.items():
        name = await visit.operations.hospital_secrets.keep(visit.by, tenant.tenant_id, field, value)
        fields[f"auth.{field}"] = made["auth"][field] = name
    return validated(TenantNew, made)


def fields_of(tenant: Tenant) -> dict[str, str]:
    facts = tenant.model_dump(mode="json")
    shown = {name: "" if facts[name] is None else str(facts[name]) for name in PLAIN}
    for field, between in EXTRAS.items():
        shown[field] = "\n".join(f"{name}{between}{value}" for name, value in facts[field].items())
    return shown | {f"auth.{name}": str(value) for name, value in facts["auth"].items() if value is not None}


def problems_of(error: GatewayError | None, known: tuple[str, ...]) -> dict[str, str]:
    """What is wrong with which field of the form; `""` is the form as a whole."""
    if isinstance(error, InvalidFields):
        pairs = error.problems
    elif isinstance(error, RegistryError):
        pairs = ((error.field, error.public),)
    else:
        pairs = (("", error.public),) if error else ()
    found: dict[str, str] = {}
    for field, text in pairs:
        # `jwks.keys.0` is part of the field `jwks`.
        place = next((name for name in known if field == name or field.startswith(f"{name}.")), "")
        found.setdefault(place, text if place or not field or field in text else f"{field} {text}")
    return found


def secret_left_out(form: Form, fields: dict[str, str]) -> bool:
    """Whether the form held a secret's value that is neither shown again nor in the secret store."""
    return any(fields.get(f"auth.{field}", "") == form[f"auth.{field}"] for field in values(form))
