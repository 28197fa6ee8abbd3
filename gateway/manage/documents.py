"""What operators write and read: the same fields in the API, in `--json` and in import files."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    create_model,
)

from gateway.errors import InvalidFields
from gateway.manage.durations import Expiry
from gateway.registry.extras import ExtraHeaders, ExtraParameters
from gateway.registry.models import (
    AuthMethod,
    Client,
    ClientSecret,
    Guid,
    Model,
    Name,
    NoAuth,
    Tenant,
    UpstreamAuth,
    now,
)
from gateway.upstream.systems import PROFILES

# RFC 3986 without user information, query and fragment; names beyond ASCII are written in punycode.
_AUTHORITY_AND_PATH = r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~:@!$&'()*+,;=%/-]*)?"
_URL = rf"^https?://{_AUTHORITY_AND_PATH}$"
_URL_WITH_QUERY = rf"^https?://{_AUTHORITY_AND_PATH}(\?[A-Za-z0-9._~:@!$&'()*+,;=%/?-]*)?$"


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


type VersionChoice = Annotated[Literal["auto", "dstu2", "stu3", "r4"], BeforeValidator(_lower)]


def _known_system(value: str) -> str:
    if value not in PROFILES:
        raise ValueError(f"must be one of: {', '.join(sorted(PROFILES))}")
    return value


type System = Annotated[
    str,
    BeforeValidator(_lower),
    AfterValidator(_known_system),
    WithJsonSchema({"type": "string", "enum": sorted(PROFILES), "description": "Profile of the FHIR server"}),
]


class TenantNew(Model):
    """A tenant to be made. With `fhir_version` `auto` the server's own metadata decides."""

    tenant_id: Guid
    name: Name
    fhir_url: Annotated[str, StringConstraints(pattern=_URL, max_length=1000)]
    fhir_version: VersionChoice = "auto"
    system: System = "generic"
    auth: UpstreamAuth = NoAuth()
    mrn_system: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    enabled: bool = True
    notes: Annotated[str, StringConstraints(max_length=4000)] = ""
    extra_headers: ExtraHeaders = Field(default_factory=dict)
    extra_parameters: ExtraParameters = Field(default_factory=dict)


class TenantView(Tenant):
    """A tenant as it is kept. `warnings` only follow a change: it was made, but see to them."""

    warnings: tuple[str, ...] = ()


class ClientNew(Model):
    """A client to be made, with its first secret unless `secret` is false."""

    client_id: Guid | None = None
    name: Name
    tenants: tuple[Guid, ...] | Literal["*"]
    auth_methods: Annotated[tuple[AuthMethod, ...], Field(min_length=1)] = (
        "client_secret_post",
        "client_secret_basic",
        "private_key_jwt",
    )
    jwks: dict[str, Any] | None = None
    jwks_uri: Annotated[str, StringConstraints(pattern=_URL_WITH_QUERY, max_length=1000)] | None = None
    enabled: bool = True
    secret: bool = True
    description: Annotated[str, StringConstraints(max_length=200)] = ""
    expires: Expiry | None = None


class SecretNew(Model):
    """A secret to be added to a client; with `revoke_others` it replaces every other one at once."""

    description: Annotated[str, StringConstraints(max_length=200)] = ""
    expires: Expiry | None = None
    revoke_others: bool = False


class SecretView(Model):
    """A secret without its value. `last_used` is exact to an hour, and absent when it never was."""

    secret_id: Guid
    description: str
    hint: str
    created: datetime
    expires: datetime
    revoked: datetime | None = None
    state: Literal["active", "expired", "revoked"]
    last_used: datetime | None = None

    @classmethod
    def of(cls, secret: ClientSecret, last_used: datetime | None = None) -> "SecretView":
        fields = secret.model_dump(exclude={"hash"})
        return cls.model_validate(fields | {"state": secret.state(now()), "last_used": last_used})


class ClientView(Model):
    """A client as it is kept. `warnings` only follow a change."""

    client_id: Guid
    name: str
    tenants: tuple[Guid, ...] | Literal["*"]
    auth_methods: tuple[AuthMethod, ...]
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    enabled: bool
    secrets: tuple[SecretView, ...]
    created: datetime
    updated: datetime
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, client: Client, used: dict[str, datetime] | None = None, warnings: tuple[str, ...] = ()
    ) -> "ClientView":
        secrets = tuple(SecretView.of(secret, (used or {}).get(secret.secret_id)) for secret in client.secrets)
        fields = client.model_dump(exclude={"secrets"})
        return cls.model_validate(fields | {"secrets": secrets, "warnings": warnings})


class NewSecret(Model):
    """The only time that the value of a secret is shown."""

    client_id: Guid
    secret_id: Guid
    client_secret: str
    expires: datetime
    description: str = ""


class ClientMade(ClientView):
    """A client with its first secret; without one when it was not asked for or the client existed already."""

    secret_id: Guid | None = None
    client_secret: str | None = None
    expires: datetime | None = None


def _partial(model: type[Model], name: str, without: set[str]) -> type[Model]:
    """The model with every field optional (RFC 7396: absent fields stay as they are)."""
    fields: dict[str, Any] = {
        field: (definition.rebuild_annotation(), None)
        for field, definition in model.model_fields.items()
        if field not in without
    }
    return create_model(name, __base__=Model, **fields)


TenantPatch = _partial(TenantNew, "TenantPatch", {"tenant_id"})
ClientPatch = _partial(ClientNew, "ClientPatch", {"client_id", "secret", "description", "expires"})


def validated[M: Model](model: type[M], document: object) -> M:
    """The document as a model. Raises InvalidFields with every field at fault and what to do about it."""
    try:
        # Strict, and from JSON: "yes" is no boolean and 1 is no text, whatever the caller's language thinks.
        return model.model_validate_json(orjson.dumps(document), strict=True)
    except ValidationError as error:
        problems = [_problem(model, problem) for problem in error.errors(include_url=False, include_input=False)]
        raise InvalidFields(list(dict.fromkeys(problems))) from None


_HINTS = {
    "fhir_url": "must be an absolute http or https URL without query, such as https://ehr.example/fhir",
    "jwks_uri": "must be an absolute URL such as https://app.example/jwks",
    "name": "must have 1 to 200 characters",
    "secret": "must name a secret in the secret store: letters, digits and hyphens, at most 127",
    "tenants": "must be a list of GUIDs, or * for all tenants",
}


def _problem(model: type[Model], problem: Any) -> tuple[str, str]:  # noqa: ANN401  # pydantic's ErrorDetails
    # A discriminated or plain union puts the name of the branch into the path; fields are what the caller knows.
    path = [str(part) for part in problem["loc"]]
    field = ".".join(part for at, part in enumerate(path) if at == 0 or _is_field(part)) if path else ""
    kind = problem["type"]
    if kind == "missing":
        return field, "is missing"
    if kind == "extra_forbidden":
        known = ", ".join(model.model_fields) if len(path) == 1 else "see the documentation"
        return field, f"is not known; known fields: {known}"
    last = next((part for part in reversed(path) if part in _HINTS), "")
    if last and kind not in ("value_error", "string_too_long"):
        return field, _HINTS[last]
    text = problem["msg"].removeprefix("Value error, ")
    return field, text[:1].lower() + text[1:]


def _is_field(part: str) -> bool:
    return part.isdecimal() or (part.isidentifier() and part not in ("none", "header", "basic", "entra", "str", "int"))
