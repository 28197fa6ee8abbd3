"""What only the world can tell of an input: does the address answer, does the secret exist."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from gateway.errors import FhirError, Invalid, StorageUnavailable
from gateway.registry import Tenant
from gateway.secrets import SecretMissing, SecretStore, SecretsUnavailable
from gateway.settings import Settings
from gateway.upstream import UpstreamResponse
from gateway.upstream.addresses import AddressRefused, check_address, is_public
from gateway.versions import FhirVersion

_SECRET_FIELDS = ("secret", "key", "certificate")
# A tenant that named one of these would have it sent to the server at its address.
_OWN_SECRETS = frozenset({"pepper", "signing-keys", "operator-token", "portal-link", "entra-client-secret"})
_UNAUTHORISED = (401, 403)
_RELEASES = {"1.0": FhirVersion.DSTU2, "3.0": FhirVersion.STU3, "4.0": FhirVersion.R4}
_ACCEPT = "application/fhir+json, application/json+fhir;q=0.9, application/json;q=0.8"


class Asks(Protocol):
    """What asks a tenant's FHIR server: `gateway.upstream.Upstream`."""

    async def send(
        self, tenant: Tenant, method: str, path_and_query: str, headers: Mapping[str, str]
    ) -> UpstreamResponse: ...


class Unreachable(Exception):
    """The FHIR server did not answer with a capability statement; the text says why and is fit for an operator."""


class Locked(Unreachable):
    """Its metadata is for those with a credential only, against the advice of FHIR (http.html §3.1.0.9)."""


class Checks:
    """Looks at a tenant's addresses, secrets and FHIR server before it is saved."""

    def __init__(self, settings: Settings, secrets: SecretStore, upstream: Asks) -> None:
        self._secrets = secrets
        self._upstream = upstream
        self._settings = settings

    async def inputs(self, tenant: Tenant) -> None:
        """Raises Invalid, which names the field: an address that requests may not go to, a secret
        that is not in the store. Raises StorageUnavailable when the secret store does not answer.
        """
        await self.address("fhir_url", tenant.fhir_url)
        token_url = getattr(tenant.auth, "token_url", None)
        if token_url:
            await self.address("auth.token_url", token_url)
        for field, name in _secret_names(tenant):
            await self._secret(field, name)

    async def version(self, tenant: Tenant) -> FhirVersion:
        """The FHIR version that the server's metadata states. Raises Unreachable, and Invalid for a version that the
        gateway does not know.
        """
        return stated_release(await self.statement(tenant))

    async def statement(self, tenant: Tenant) -> dict[str, Any]:
        """The server's capability statement, with a `fhirVersion`. Raises Unreachable."""
        try:
            answer = await self._upstream.send(tenant, "GET", "metadata", {"accept": _ACCEPT})
        except FhirError as error:
            raise Unreachable(error.public) from error
        except ValueError:
            raise Unreachable("Its address cannot be understood.") from None
        if answer.status in _UNAUTHORISED:
            raise Locked(f"Its metadata answered with status {answer.status}.")
        if answer.status != 200:  # noqa: PLR2004
            raise Unreachable(f"Its metadata answered with status {answer.status}.")
        try:
            statement = orjson.loads(answer.body)
            statement["fhirVersion"]
        except (ValueError, KeyError, TypeError):
            raise Unreachable("What answered is not a capability statement in JSON.") from None
        return dict(statement)

    async def address(self, field: str, url: str) -> None:
        """Raises Invalid, which names the field, when requests may not go to `url`."""
        try:
            check_address(url, self._settings)
        except AddressRefused as error:
            raise Invalid(f"{field} is no address that requests may go to. {error}", field=field) from None
        if not self._settings.allow_private_upstreams and await _resolves_inside(urlsplit(url).hostname or ""):
            raise Invalid(
                f"{field} leads into a private network, where the gateway sends no requests "
                "(ALLOW_PRIVATE_UPSTREAMS is for development).",
                field=field,
            )

    async def _secret(self, field: str, name: str) -> None:
        if name in _OWN_SECRETS:
            raise Invalid(f"{field} names a secret of the gateway itself, which no hospital may see.", field=field)
        try:
            await self._secrets.get(name)
        except SecretMissing:
            raise Invalid(
                f"{field} names the secret {name!r}, which the secret store does not hold: put it there first.",
                field=field,
            ) from None
        except SecretsUnavailable as error:
            raise StorageUnavailable(str(error)) from error


def stated_release(statement: Mapping[str, Any]) -> FhirVersion:
    """The version that a capability statement names. Raises Invalid for one that the gateway does not know."""
    stated = statement["fhirVersion"]
    for release, version in _RELEASES.items():
        if isinstance(stated, str) and stated.startswith(release):
            return version
    raise Invalid(
        f"The server speaks FHIR {str(stated)[:20]!r}; dstu2 (1.0), stu3 (3.0) and r4 (4.0) are possible.",
        field="fhir_version",
    )


def _secret_names(tenant: Tenant) -> Iterator[tuple[str, str]]:
    for field in _SECRET_FIELDS:
        name = getattr(tenant.auth, field, None)
        if name:
            yield f"auth.{field}", name


async def _resolves_inside(host: str) -> bool:
    """Whether the name has an address that is not public; a name that does not resolve (yet) has none."""
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(not is_public(str(answer[4][0])) for answer in answers)
