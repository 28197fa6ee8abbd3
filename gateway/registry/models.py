from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from gateway.versions import FhirVersion

_EXAMPLE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def _guid(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return str(UUID(value.strip()))
    except ValueError:
        raise ValueError(f"must be a GUID such as {_EXAMPLE}") from None


type Guid = Annotated[
    str, BeforeValidator(_guid), WithJsonSchema({"type": "string", "format": "uuid", "examples": [_EXAMPLE]})
]
"""A GUID in lower case with hyphens, whatever the case it was written in."""

type Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
type SecretName = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z-]{1,127}$")]
"""A name in the secret store (Key Vault's alphabet); the value never stands in Table Storage."""

MAX_SECRETS = 20
"""Of one client, so that they fit in its row: two while rotating are usual."""

type AuthMethod = Literal["client_secret_post", "client_secret_basic", "private_key_jwt"]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NoAuth(Model):
    kind: Literal["none"] = "none"


class HeaderAuth(Model):
    """A fixed header, such as an API key."""

    kind: Literal["header"] = "header"
    name: Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")]
    secret: SecretName


class BasicAuth(Model):
    kind: Literal["basic"] = "basic"
    username: str
    secret: SecretName


class ClientSecretAuth(Model):
    """OAuth 2.0 client credentials with a secret (RFC 6749 §2.3.1), in the body or in the Basic header."""

    kind: Literal["client-secret-post", "client-secret-basic"]
    client_id: str
    secret: SecretName
    token_url: str | None = None
    """Absent: read from the server's SMART configuration or capability statement."""
    scope: str | None = None
    audience: str | None = None


class PrivateKeyJwtAuth(Model):
    """SMART Backend Services: a signed assertion instead of a secret (RFC 7523)."""

    kind: Literal["private-key-jwt"] = "private-key-jwt"
    client_id: str
    key: SecretName
    """Secret that holds the private key, PEM or JWK."""
    kid: str | None = None
    alg: Literal["RS384", "ES384"] = "RS384"
    token_url: str | None = None
    scope: str | None = None


class EntraAuth(Model):
    """Entra client credentials: a secret, a certificate, or (neither) the managed identity of this app."""

    kind: Literal["entra"] = "entra"
    tenant: str | None = None
    client_id: str | None = None
    secret: SecretName | None = None
    certificate: SecretName | None = None
    scope: str | None = None
    """Absent: `{fhir_url}/.default`, which is what Azure Health Data Services expects."""


type UpstreamAuth = Annotated[
    NoAuth | HeaderAuth | BasicAuth | ClientSecretAuth | PrivateKeyJwtAuth | EntraAuth,
    Field(discriminator="kind"),
]


class Tenant(Model):
    """One customer: the Entra tenant that the app names in the scope, and the FHIR server behind it."""

    tenant_id: Guid
    name: Name
    fhir_url: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^https?://[^\s?#]+$", max_length=1000)]
    fhir_version: FhirVersion
    system: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] = "generic"
    auth: UpstreamAuth = NoAuth()
    mrn_system: str | None = None
    max_concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = None
    enabled: bool = True
    notes: Annotated[str, StringConstraints(max_length=4000)] = ""
    extra_headers: dict[str, str] = {}
    """Fixed headers of every request to the FHIR server, beside the credential's."""
    extra_parameters: dict[str, str] = {}
    """Fixed query parameters of every request to the FHIR server."""
    created: datetime = Field(default_factory=now)
    updated: datetime = Field(default_factory=now)


class ClientSecret(Model):
    """One secret of a client: everything but its value, which is shown once and never stored."""

    secret_id: Guid = Field(default_factory=lambda: str(uuid4()))
    description: Annotated[str, StringConstraints(max_length=200)] = ""
    hint: str
    """The first characters of the value, enough to recognise it."""
    hash: str
    created: datetime = Field(default_factory=now)
    expires: datetime
    revoked: datetime | None = None

    def state(self, at: datetime) -> Literal["active", "expired", "revoked"]:
        if self.revoked is not None and self.revoked <= at:
            return "revoked"
        return "expired" if self.expires <= at else "active"


class Client(Model):
    """A program that may draw tokens: the Patients app, or another one."""

    client_id: Guid = Field(default_factory=lambda: str(uuid4()))
    name: Name
    tenants: tuple[Guid, ...] | Literal["*"]
    auth_methods: tuple[AuthMethod, ...] = ("client_secret_post", "client_secret_basic", "private_key_jwt")
    jwks: dict[str, object] | None = None
    jwks_uri: str | None = None
    enabled: bool = True
    secrets: Annotated[tuple[ClientSecret, ...], Field(max_length=MAX_SECRETS)] = ()
    created: datetime = Field(default_factory=now)
    updated: datetime = Field(default_factory=now)

    def may_use(self, tenant_id: str) -> bool:
        return self.tenants == "*" or tenant_id in self.tenants

    def secret(self, secret_id: str) -> ClientSecret | None:
        return next((secret for secret in self.secrets if secret.secret_id == secret_id), None)
