from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Self

from gateway.errors import Invalid, Stale, Unknown
from gateway.registry.models import MAX_SECRETS, Client, ClientSecret, Tenant, now
from gateway.registry.rows import Document, Kind
from gateway.registry.secret_values import HINT_LENGTH, Pepper, new_secret_value
from gateway.registry.storage import Storage
from gateway.registry.table import Page, Stored, Table
from gateway.settings import Settings

TENANTS = "tenants"
CLIENTS = "clients"
USES = "uses"
AUDIT = "audit"
ASSERTIONS = "assertions"
REVOCATIONS = "revocations"
SIGN_INS = "signins"
TURNS = "turns"
TABLES = (TENANTS, CLIENTS, USES, AUDIT, ASSERTIONS, REVOCATIONS, SIGN_INS, TURNS)


def _with_extras(document: Document) -> Document:
    """Schema 2: fixed headers and parameters of requests to the FHIR server."""
    return {**document, "extra_headers": {}, "extra_parameters": {}}


TENANT_ROWS = Kind("tenant", Tenant, "tenant_id", (_with_extras,))
CLIENT_ROWS = Kind("client", Client, "client_id")

_NOBODY = "00000000-0000-0000-0000-000000000000"
_TRIES = 8


class Registry:
    """The rows of tenants and clients, always the newest ones. One partition a tenant and a client: every read by id
    is a point read, and a client's secrets stand in its row, so that `revoke others` is one atomic write.

    Every method raises StorageUnavailable when Table Storage does not answer.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._tenants = Table(storage.table(TENANTS), TENANT_ROWS)
        self._clients = Table(storage.table(CLIENTS), CLIENT_ROWS)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Connect as the settings say; nothing is contacted yet. Raises ValueError for a wrong connection string."""
        return cls(Storage.open(settings))

    async def close(self) -> None:
        await self.storage.close()

    async def ensure_tables(self) -> None:
        """Create the tables that are not there yet."""
        await self.storage.ensure(TABLES)

    async def ping(self) -> None:
        """Return when Table Storage answers a point read."""
        await self._tenants.find(_NOBODY)

    async def find_tenant(self, tenant_id: str) -> Stored[Tenant] | None:
        return await self._tenants.find(tenant_id)

    async def add_tenant(self, tenant: Tenant) -> Stored[Tenant]:
        """Raises Duplicate when a tenant of that id exists, Invalid when it is too large for a row."""
        return await self._tenants.add(tenant)

    async def update_tenant(self, tenant: Tenant, etag: str) -> Stored[Tenant]:
        """Raises Stale when the row is no longer the one that carried `etag`, Unknown when it is gone, Invalid."""
        return await self._tenants.replace(tenant.model_copy(update={"updated": now()}), etag)

    async def remove_tenant(self, tenant_id: str, etag: str | None = None) -> None:
        """Raises Unknown when there is none, Stale when `etag` is given and not the row's."""
        await self._tenants.remove(tenant_id, etag)

    def tenants(self) -> AsyncIterator[Stored[Tenant]]:
        """Every tenant, in the order of their ids; a page at a time is in memory."""
        return self._tenants.all()

    async def tenant_page(self, size: int, continuation: str = "") -> Page[Stored[Tenant]]:
        """At most `size` tenants, in the order of their ids. Raises Invalid for a continuation that is none."""
        return await self._tenants.page(size, continuation)

    async def documents(self) -> AsyncIterator[tuple[str, str, Document]]:
        """`tenant` or `client`, id and document of every row as it is stored: for the audit."""
        for kind, table in (
            (TENANT_ROWS.name, self._tenants.documents()),
            (CLIENT_ROWS.name, self._clients.documents()),
        ):
            async for key, document in table:
                yield kind, key, document

    async def find_client(self, client_id: str) -> Stored[Client] | None:
        return await self._clients.find(client_id)

    async def add_client(self, client: Client) -> Stored[Client]:
        """Raises Duplicate when a client of that id exists, Invalid when it is too large for a row."""
        return await self._clients.add(client)

    async def update_client(self, client: Client, etag: str) -> Stored[Client]:
        """Raises Stale when the row is no longer the one that carried `etag`, Unknown when it is gone, Invalid."""
        return await self._clients.replace(client.model_copy(update={"updated": now()}), etag)

    async def remove_client(self, client_id: str, etag: str | None = None) -> None:
        """Raises Unknown when there is none, Stale when `etag` is given and not the row's."""
        await self._clients.remove(client_id, etag)

    def clients(self) -> AsyncIterator[Stored[Client]]:
        """Every client, in the order of their ids; a page at a time is in memory."""
        return self._clients.all()

    async def client_page(self, size: int, continuation: str = "") -> Page[Stored[Client]]:
        """At most `size` clients, in the order of their ids. Raises Invalid for a continuation that is none."""
        return await self._clients.page(size, continuation)

    async def add_secret(
        self,
        client_id: str,
        pepper: Pepper,
        *,
        expires: datetime,
        description: str = "",
        revoke_others: bool = False,
    ) -> tuple[ClientSecret, str]:
        """Give a client one more secret; returns its row and its value, which is stored nowhere.

        With `revoke_others` the same write revokes every other secret. Raises Unknown, Invalid.
        """
        secret, value = new_secret(pepper, expires=expires, description=description)
        await self.change_client(client_id, lambda client: with_secret(client, secret, revoke_others=revoke_others))
        return secret, value

    async def revoke_secret(self, client_id: str, secret_id: str) -> ClientSecret:
        """Raises Unknown when the client or the secret is not there; revoking twice is harmless."""
        changed = await self.change_client(client_id, lambda client: without_secret(client, secret_id))
        return next(secret for secret in changed.value.secrets if secret.secret_id == secret_id)

    async def change_client(self, client_id: str, change: Callable[[Client], Client]) -> Stored[Client]:
        """Replace a client by what `change` makes of its newest row, again when others change it meanwhile.

        Raises Unknown, Invalid, what `change` raises, and Stale when others never leave off.
        """
        for _ in range(_TRIES):
            found = await self.find_client(client_id)
            if found is None:
                raise self._clients.unknown()
            try:
                return await self.update_client(change(found.value), found.etag)
            except Stale:
                continue  # somebody else changed the client in between: take theirs and try again
        raise Stale("The client is being changed by others; try again.")


def new_secret(pepper: Pepper, *, expires: datetime, description: str = "") -> tuple[ClientSecret, str]:
    """A secret for a client's row and its value, which is stored nowhere."""
    value = new_secret_value()
    secret = ClientSecret(description=description, hint=value[:HINT_LENGTH], hash=pepper.hash(value), expires=expires)
    return secret, value


def with_secret(client: Client, secret: ClientSecret, *, revoke_others: bool) -> Client:
    """The client with one more secret; the longest gone of those that no longer work make room for it.

    Raises Invalid when `MAX_SECRETS` still work.
    """
    kept = client.secrets
    if revoke_others:
        kept = tuple(old.model_copy(update={"revoked": old.revoked or now()}) for old in kept)
    while len(kept) >= MAX_SECRETS:
        gone = next((old for old in kept if old.state(now()) != "active"), None)
        if gone is None:
            raise Invalid(f"This client has {MAX_SECRETS} active secrets, the most possible: revoke one first.")
        kept = tuple(old for old in kept if old is not gone)
    return client.model_copy(update={"secrets": (*kept, secret)})


def without_secret(client: Client, secret_id: str) -> Client:
    """The client with that secret revoked. Raises Unknown when it has none of that id."""
    if client.secret(secret_id) is None:
        raise Unknown("This client has no secret of that id.", field="secret_id")
    revoked = tuple(
        secret.model_copy(update={"revoked": secret.revoked or now()}) if secret.secret_id == secret_id else secret
        for secret in client.secrets
    )
    return client.model_copy(update={"secrets": revoked})
