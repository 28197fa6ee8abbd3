"""The service's parts, put together once per process."""

import asyncio

from gateway.errors import StorageUnavailable
from gateway.pipeline import FhirEndpoint
from gateway.registry import Directory, Registry
from gateway.secrets import SecretStore, open_secret_store
from gateway.settings import Settings
from gateway.tokens import Keys, TokenEndpoint, Verifier
from gateway.upstream import Credentials, Upstream
from gateway.upstream.transport import open_session


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
        self._session = open_session()
        self.tokens = TokenEndpoint(settings, self.directory, self.keys)
        self.verifier = Verifier(settings, self.directory, self.keys)
        upstream = Upstream(settings, self._session, Credentials(self.secrets, self._session))
        self.fhir = FhirEndpoint(settings, self.verifier, upstream)

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
        await self._session.close()
        await self.registry.close()
        await self.secrets.close()
