"""The service's parts, put together once per process."""

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.fhir.link_store import LinkStore
from gateway.fhir.paging import PageLinks
from gateway.health import Dependency, Health
from gateway.manage.authority import Authority
from gateway.manage.conformance import TenantChecks
from gateway.manage.endpoint import ManagementEndpoint
from gateway.manage.operations import Operations
from gateway.manage.operators import Operators
from gateway.pipeline import FhirEndpoint
from gateway.registry import Directory, Registry
from gateway.registry.uses import Uses
from gateway.secrets import SecretStore, open_secret_store
from gateway.settings import Settings
from gateway.telemetry.access import AccessLog
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
from gateway.tokens.keys import STALE_SECONDS
from gateway.traffic import Traffic
from gateway.upstream import Credentials, Upstream
from gateway.upstream.key_sets import KeySets
from gateway.upstream.session import open_session

if TYPE_CHECKING:
    # Where telemetry is off, what it is made of is not imported.
    from gateway.telemetry.observing import Telemetry


class Service:
    """Holds what lives as long as the process. Make it on the running event loop; the Functions host never closes it,
    tests and the command line do.
    """

    def __init__(self, settings: Settings, telemetry: "Telemetry | None" = None) -> None:
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
        upstream = Upstream(settings, self._session, self._credentials, watch=telemetry)
        pages = PageLinks(self.keys, LinkStore(self.registry.storage))
        traffic = Traffic()
        self.fhir = FhirEndpoint(settings, self.verifier, upstream, pages, AccessLog(self.keys.pepper, traffic))
        self.operations = Operations(
            settings,
            self.registry,
            self.secrets,
            self.keys,
            upstream,
            changed=self.directory.forget,
            conformance=TenantChecks(settings, self.secrets, self.fhir),
            traffic=traffic,
        )
        self.authority = Authority(settings.authority, settings.entra_tenant_id, self._session, time.time)
        operators = Operators(settings, self.secrets, self.authority)
        self.manage = ManagementEndpoint(settings, self.operations, operators)
        tables = (*self.directory.caches, revocations.cache)
        self.health = Health(
            {
                "tables": Dependency(
                    self.registry.ping,
                    tuple(cache.source for cache in tables),
                    timedelta(seconds=settings.cache_ttl_seconds + settings.cache_stale_seconds),
                ),
                "keys": Dependency(
                    self._ready_keys,
                    tuple(cache.source for cache in self.keys.caches),
                    timedelta(seconds=STALE_SECONDS),
                    from_memory=True,
                ),
            },
            upstream.suspended,
        )
        if telemetry is not None:
            telemetry.watch((*tables, *self.keys.caches), upstream.suspended)

    async def _ready_keys(self) -> None:
        await asyncio.gather(self.keys.ring(), self.keys.pepper())

    async def close(self) -> None:
        await self._session.close()
        await self.registry.close()
        await self.secrets.close()
