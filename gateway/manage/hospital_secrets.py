"""Values of secrets towards hospitals: they go to the secret store, and only their names come back."""

import secrets as random

from gateway.audit import AuditTrail, By, Change
from gateway.errors import Invalid, StorageUnavailable
from gateway.secrets import SecretsReadOnly, SecretStore, SecretsUnavailable
from gateway.upstream.assertions import KeyUnusable, private_keys

# Key Vault takes 25,600 characters.
_MOST_CHARACTERS = 25_000
_PEM = "-----BEGIN "


class HospitalSecrets:
    """Every value gets a name of its own, so that no tenant's working credential changes before the tenant does."""

    def __init__(self, store: SecretStore, trail: AuditTrail) -> None:
        self._store = store
        self._trail = trail

    async def keep(self, by: By, tenant_id: str, field: str, value: str) -> str:
        """Put the value of `secret`, `key` or `certificate` into the secret store; the name that it got.

        Raises Invalid, which names the field and holds nothing of the value, and StorageUnavailable.
        """
        _check(field, value)
        name = f"tenant-{tenant_id}-{field}-{random.token_hex(4)}"
        # Without a subject of its own: an entry about a tenant says what is left of its row, and this one changes none.
        change = Change("credential.store", after={"tenant_id": tenant_id, "secret": name})
        async with self._trail.recorded(by, change):
            try:
                await self._store.set(name, value)
            except SecretsReadOnly:
                raise Invalid(
                    f"auth.{field} was not stored: this deployment may only read its secret store. "
                    "Put the value there and enter its name.",
                    field=f"auth.{field}",
                ) from None
            except SecretsUnavailable as error:
                raise StorageUnavailable(str(error)) from error
        return name


def _check(field: str, value: str) -> None:
    place = f"auth.{field}"
    if len(value) > _MOST_CHARACTERS:
        raise Invalid(f"{place} is too long: the secret store takes {_MOST_CHARACTERS} characters.", field=place)
    if field == "key":
        try:
            private_keys(value)
        except KeyUnusable as error:
            raise Invalid(f"{place} cannot be used: {error}.", field=place) from None
    elif field == "certificate":
        if _PEM not in value or "PRIVATE KEY-----" not in value or "CERTIFICATE-----" not in value:
            raise Invalid(f"{place} must be PEM: the private key and the certificate in one text.", field=place)
    elif not value.isprintable():
        raise Invalid(f"{place} holds line breaks or other characters that no header may hold.", field=place)
