from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.versions import FhirVersion


class SettingsError(Exception):
    """A setting is wrong or missing; the message is one line that names it."""


type Seconds = Annotated[int, Field(ge=1, le=86_400)]


class Settings(BaseSettings):
    """Every setting of the service, read once at start from the environment.

    The names are the same in `local.settings.sample.json`, in Bicep and in docs/settings.md; tests hold them
    together. An empty value counts as absent.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    public_base_url: HttpUrl
    """Where callers reach this service, without `/fhir`; issuer of its tokens."""

    tables_connection: SecretStr | None = None
    """Connection string of Table Storage: Azurite, or a key; in Azure the identity form below is used."""
    tables_connection_service_uri: HttpUrl | None = Field(
        default=None, validation_alias="TABLES_CONNECTION__tableServiceUri"
    )
    tables_connection_client_id: str | None = Field(default=None, validation_alias="TABLES_CONNECTION__clientId")

    key_vault_url: HttpUrl | None = None
    """Holds signing keys, pepper and upstream credentials; absent: files in `local_keys_dir`."""
    local_keys_dir: Path = Path(".local/keys")

    default_fhir_version: FhirVersion = FhirVersion.STU3
    token_lifetime_seconds: Annotated[int, Field(ge=60, le=86_400)] = 3600
    cache_ttl_seconds: Seconds = 30
    cache_stale_seconds: Annotated[int, Field(ge=0, le=86_400)] = 900
    upstream_timeout_seconds: Annotated[float, Field(gt=0, le=200)] = 20
    """Budget of one upstream call including its retries; the Functions host ends a request after 230 s."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=100_000_000)] = 1_048_576
    max_batch_entries: Annotated[int, Field(ge=1, le=1000)] = 50
    tenant_max_concurrency: Annotated[int, Field(ge=1, le=10_000)] = 64
    client_rate_per_second: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Tokens per second that one client may draw from one instance; 0: no limit."""
    allow_private_upstreams: bool = False

    entra_tenant_id: str | None = None
    entra_client_id: str | None = None
    entra_client_secret: SecretStr | None = None
    entra_authority: HttpUrl | None = None
    """OpenID provider of the operators, without `/.well-known/openid-configuration`; absent: Entra's global cloud."""

    applicationinsights_connection_string: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("entra_client_secret", mode="before")
    @classmethod
    def _resolved(cls, value: object) -> object:
        # What the platform leaves in the setting while the vault has no such secret, or it may not be read.
        return None if isinstance(value, str) and value.startswith("@Microsoft.KeyVault(") else value

    @field_validator("default_fhir_version", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_table_store(self) -> "Settings":
        if (self.tables_connection is None) == (self.tables_connection_service_uri is None):
            raise ValueError(
                "set either TABLES_CONNECTION (connection string) or TABLES_CONNECTION__tableServiceUri (identity)"
            )
        return self

    @property
    def base_url(self) -> str:
        """`PUBLIC_BASE_URL` without a trailing slash."""
        return str(self.public_base_url).rstrip("/")

    @property
    def authority(self) -> str:
        """The address of the operators' OpenID provider, without a trailing slash; its issuer, where it is Entra."""
        if self.entra_authority:
            return str(self.entra_authority).rstrip("/")
        return f"https://login.microsoftonline.com/{self.entra_tenant_id}/v2.0"

    @property
    def fhir_base_url(self) -> str:
        """The audience of access tokens."""
        return f"{self.base_url}/fhir"

    @property
    def token_url(self) -> str:
        return f"{self.base_url}/oauth2/token"


def setting_names() -> dict[str, str]:
    """Environment variable name by field name, for every setting."""
    return {
        field: alias if isinstance(alias := definition.validation_alias, str) else field.upper()
        for field, definition in Settings.model_fields.items()
    }


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises SettingsError with one line that names every wrong or missing setting (never its value: it may be a
    secret).
    """
    try:
        return Settings()
    except ValidationError as error:
        names = setting_names()
        problems = []
        for problem in error.errors(include_input=False, include_url=False):
            field = str(problem["loc"][0]) if problem["loc"] else ""
            name = names.get(field, field if field in names.values() else field.upper())
            text = "is missing" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
            problems.append(f"{name}: {text}" if name else text)
        raise SettingsError("; ".join(problems)) from None
