"""A server that is no tenant yet: its credential comes with the command, its secrets from the environment or files."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field, SecretStr, ValidationError

from gateway.registry import Tenant
from gateway.registry.extras import ExtraHeaders, ExtraParameters
from gateway.secrets import SecretMissing
from gateway.settings import Settings
from gateway.versions import FhirVersion

_NOBODY = str(UUID(int=0))


class _Candidate(Tenant):
    """A tenant in an operator's words, which nobody has looked at as at those of a tenant to be made."""

    extra_headers: ExtraHeaders = Field(default_factory=dict)
    extra_parameters: ExtraParameters = Field(default_factory=dict)


class NotAServer(ValueError):
    """The address or the credential is incomplete; the message names the field and holds no value."""


class GivenSecrets:
    """The secrets of one run, in memory."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    async def get(self, name: str) -> str:
        if name not in self._values:
            raise SecretMissing(f"no secret named {name}")
        return self._values[name]

    async def set(self, name: str, value: str) -> None:
        self._values[name] = value

    async def close(self) -> None:
        self._values.clear()


def unregistered(fhir_url: str, version: FhirVersion | None, **fields: object) -> Tenant:
    """What the tenant of that server would be, `fields` being others of a tenant. Raises NotAServer."""
    known = {"tenant_id": _NOBODY, "name": "FHIR server", "fhir_url": fhir_url}
    try:
        return _Candidate.model_validate({**known, "fhir_version": version or FhirVersion.R4, **fields})
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}" for one in found]
        raise NotAServer("; ".join(problems)) from None


def operators_settings() -> Settings:
    """Settings for a run from an operator's machine, which may go where it can; storage and gateway take no part."""
    return Settings(
        public_base_url="http://localhost",
        tables_connection=SecretStr("none"),
        allow_private_upstreams=True,
    )
