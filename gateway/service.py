"""The service's parts, put together once per process."""

import asyncio

from gateway.conformance.tenant_checks import TenantChecks
from gateway.errors import StorageUnavailable
from gateway.fhir.link_store import LinkStore
from gateway.fhir.paging import PageLinks
from gateway.manage import Operations
from gateway.manage.endpoint import ManagementEndpoint
from gateway.manage.operators import Operators
from gateway.pipeline import FhirEndpoint
from gateway.registry import Directory, Registry
from gateway.registry.uses import Uses
from gateway.secrets import SecretStore, open_secret_store
from gateway.settings import Settings
from gateway.telemetry import AccessLog
from gateway.tokens import (
    Assertions,
    ClientAuthentication,
    ClientKeys,
    Issuer,
    Keys,
    RecentTokens,
    RevocationEndpoint,
    Revocations,
    TokenEndpoint,
    UsedAssertions,
    Verifier,
)
from gateway.tokens.key_documents import document_reader
from gateway.upstream import Credentials, Upstream
from gateway.upstream.key_sets import KeySets
from gateway.upstream.session import open_session


class Service:
    """Holds what lives as long as the process. Make it on the running event loop; the Functions host never closes it,
    tests and the command line do.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.secrets: SecretStore = open_secret_store(settings)
        self.registry = Registry.open(settings)
        self.directory = Directory(self.registry, settings)
        self.keys = Keys(self.secrets)
        self._session = open_session(settings)
        self.uses = Uses(self.registry.storage)
        client_keys = ClientKeys(settings, document_reader(self._session, settings))
        self.used_assertions = UsedAssertions(self.registry.storage)
        assertions = Assertions(settings, client_keys, self.used_assertions)
        authentication = ClientAuthentication(self.directory, self.keys, assertions)
        revocations = Revocations(self.registry.storage, settings)
        issuer = Issuer(settings, self.keys, RecentTokens(revocations, settings.token_lifetime_seconds))
        self.tokens = TokenEndpoint(settings, self.directory, issuer, authentication, self.uses)
        self.verifier = Verifier(settings, self.directory, self.keys, client_keys, revocations)
        self.revocation = RevocationEndpoint(authentication, self.verifier, revocations)
        self._credentials = Credentials(self.secrets, self._session, settings)
        self.key_sets = KeySets(self.directory, self._credentials)
        upstream = Upstream(settings, self._session, self._credentials)
        pages = PageLinks(self.keys, LinkStore(self.registry.storage))
        self.fhir = FhirEndpoint(settings, self.verifier, upstream, pages, AccessLog(self.keys.pepper))
        self.operations = Operations(
            settings,
            self.registry,
            self.secrets,
            self.keys,
            upstream,
            changed=self.directory.forget,
            conformance=TenantChecks(settings, self.secrets, self.fhir),
        )
        operators = Operators(settings, self.secrets, self._session)
        self.manage = ManagementEndpoint(settings, self.operations, operators)

    async def health(self) -> dict[str, str]:
        """`ok` or `unavailable` for each dependency; nothing secret."""

        async def check(name: str) -> tuple[str, str]:
            try:
                await (self.registry.ping() if name == "tables" else self._ready_keys())
            except StorageUnavailable:
                return name, "unavailable"
            return name, "ok"

        return dict(await asyncio.gather(check("tables"), check("keys")))

    async def _ready_keys(self) -> None:
        await asyncio.gather(self.keys.ring(), self.keys.pepper())

    async def close(self) -> None:
        await self._credentials.close()
        await self._session.close()
        await self.registry.close()
        await self.secrets.close()
