from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from gateway.audit import AuditTrail, By
from gateway.errors import Duplicate, Stale, Unknown
from gateway.manage.changes import client_change, require_match
from gateway.manage.checks import Checks
from gateway.manage.documents import (
    ClientMade,
    ClientNew,
    ClientPatch,
    ClientView,
    NewSecret,
    SecretNew,
    SecretView,
    validated,
)
from gateway.manage.durations import expiry
from gateway.manage.jwks import check_jwks
from gateway.manage.tenants import Made
from gateway.registry import Client, Page, Registry, Stored, Uses
from gateway.registry.models import now
from gateway.registry.secret_values import Pepper
from gateway.registry.store import new_secret, with_secret, without_secret

_TRIES = 5


class Clients:
    """Every method raises StorageUnavailable when Table Storage or the secret store does not answer."""

    def __init__(  # its parts
        self,
        registry: Registry,
        uses: Uses,
        trail: AuditTrail,
        pepper: Callable[[], Awaitable[Pepper]],
        checks: Checks,
        changed: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._uses = uses
        self._trail = trail
        self._pepper = pepper
        self._checks = checks
        self._changed = changed

    async def page(self, size: int, continuation: str = "") -> Page[Stored[Client]]:
        """At most `size` clients in the order of their ids. Raises Invalid for a continuation that is none."""
        return await self._registry.client_page(size, continuation)

    async def find(self, client_id: str) -> Stored[Client]:
        """Raises Unknown."""
        found = await self._registry.find_client(client_id)
        if found is None:
            raise Unknown("There is no client of that id.", field="client_id")
        return found

    async def view(self, stored: Stored[Client]) -> ClientView:
        """The client with the last use of each of its secrets."""
        return ClientView.of(stored.value, await self._uses.last(stored.value.client_id))

    async def create(self, by: By, new: ClientNew) -> tuple[Made[Client], ClientMade]:
        """Make a client, with a secret unless `new.secret` is false; asking for the same id and values once more
        changes nothing, and cannot show the secret again.

        Raises Invalid, which names the field, and Duplicate when the id is another client's.
        """
        await self._check(new.jwks, new.jwks_uri)
        client = Client.model_validate(
            new.model_dump(include=_FIELDS) | {"client_id": new.client_id or str(uuid4()), "tenants": new.tenants}
        )
        existing = await self._registry.find_client(client.client_id)
        if existing is not None:
            if existing.value.model_dump(include=_FIELDS) != client.model_dump(include=_FIELDS):
                raise Duplicate(
                    "A client of this id exists already, with other values; update it instead.", field="client_id"
                )
            return Made(existing), ClientMade.of(existing.value)  # type: ignore[return-value]  # `of` makes its own class
        ends, secret, value = expiry(new.expires, now()), None, None
        if new.secret:
            secret, value = new_secret(await self._pepper(), expires=ends, description=new.description)
            client = client.model_copy(update={"secrets": (secret,)})
        warnings = await self._unknown_tenants(client)
        async with self._trail.recorded(by, client_change("client.create", None, client)):
            stored = await self._registry.add_client(client)
        self._changed(client.client_id)
        shown = ClientMade.of(client, warnings=warnings).model_dump()
        if secret is not None:
            shown |= {"secret_id": secret.secret_id, "client_secret": value, "expires": secret.expires}
        return Made(stored, created=True, warnings=warnings), ClientMade.model_validate(shown)

    async def update(self, by: By, client_id: str, patch: object, if_match: str | None = None) -> Made[Client]:
        """Change the fields that `patch` names (RFC 7396). Raises Unknown, Stale, and Invalid, naming the field."""
        changes = validated(ClientPatch, patch).model_dump(mode="json", exclude_unset=True)

        def change(client: Client) -> Client:
            # Through ClientNew, so that null where no null may be is refused, and named.
            wanted = validated(ClientNew, client.model_dump(mode="json", include=_FIELDS) | changes)
            return client.model_copy(update={name: getattr(wanted, name) for name in _FIELDS})

        await self._check(changes.get("jwks"), changes.get("jwks_uri"))
        stored = await self._change(by, "client.update", client_id, change, if_match)
        return Made(stored, warnings=await self._unknown_tenants(stored.value) if "tenants" in changes else ())

    async def remove(self, by: By, client_id: str, if_match: str | None = None) -> None:
        """Raises Unknown, Stale."""
        found = await self.find(client_id)
        require_match(found, if_match, "client")
        async with self._trail.recorded(by, client_change("client.remove", found.value, None)):
            await self._registry.remove_client(client_id, found.etag)
        self._changed(client_id)

    async def secrets(self, client_id: str) -> tuple[SecretView, ...]:
        """Every secret of a client, revoked and expired ones too. Raises Unknown."""
        return (await self.view(await self.find(client_id))).secrets

    async def add_secret(self, by: By, client_id: str, new: SecretNew) -> NewSecret:
        """The only time that the secret's value is shown. Raises Unknown, Invalid."""
        ends = expiry(new.expires, now())
        secret, value = new_secret(await self._pepper(), expires=ends, description=new.description)
        await self._change(
            by,
            "secret.add",
            client_id,
            lambda client: with_secret(client, secret, revoke_others=new.revoke_others),
        )
        return NewSecret(
            client_id=client_id,
            secret_id=secret.secret_id,
            client_secret=value,
            expires=secret.expires,
            description=secret.description,
        )

    async def revoke_secret(self, by: By, client_id: str, secret_id: str) -> None:
        """Raises Unknown; revoking twice is harmless."""
        await self._change(by, "secret.revoke", client_id, lambda client: without_secret(client, secret_id))

    async def _change(
        self,
        by: By,
        action: str,
        client_id: str,
        change: Callable[[Client], Client],
        if_match: str | None = None,
    ) -> Stored[Client]:
        for _ in range(_TRIES):
            found = await self.find(client_id)
            require_match(found, if_match, "client")
            changed = change(found.value)
            if changed == found.value:
                return found
            try:
                async with self._trail.recorded(by, client_change(action, found.value, changed)):
                    stored = await self._registry.update_client(changed, found.etag)
            except Stale:
                continue  # changed in between; what `if_match` names no longer matches then, and is refused above
            self._changed(client_id)
            return stored
        raise Stale("The client is being changed by others; try again.")

    async def _check(self, jwks: dict[str, Any] | None, jwks_uri: str | None) -> None:
        if jwks is not None:
            check_jwks(jwks)
        if jwks_uri is not None:
            await self._checks.address("jwks_uri", jwks_uri)

    async def _unknown_tenants(self, client: Client) -> tuple[str, ...]:
        if client.tenants == "*":
            return ()
        unknown = [tenant for tenant in client.tenants if await self._registry.find_tenant(tenant) is None]
        return (f"No tenant has this id yet: {', '.join(unknown)}.",) if unknown else ()


_FIELDS = {"name", "tenants", "auth_methods", "jwks", "jwks_uri", "enabled"}
