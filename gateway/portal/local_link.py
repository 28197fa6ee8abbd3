"""Sign-in on a developer's machine: a link that works once, as Jupyter prints one.

Its code stands in the query, because a fragment would need a script; the first use ends it and leads to an address
without it, so that what stays in the browser's history is worthless.
"""

import asyncio
import hashlib
import hmac
import secrets as random
import time

from gateway.manage.operators import ADMIN, Operator
from gateway.secrets import SecretMissing, SecretStore

_SECRET = "portal-link"  # noqa: S105  # the name of the secret that holds its hash
LIFE_SECONDS = 24 * 3600


async def issue_link(secrets: SecretStore, base_url: str) -> str:
    """A new link, which replaces the one before; it ends after a day. Raises SecretsUnavailable."""
    code = random.token_urlsafe(32)
    await secrets.set(_SECRET, f"{_hash(code)} {int(time.time()) + LIFE_SECONDS}")
    return f"{base_url}/portal/sign-in/link?code={code}"


class LocalLink:
    """Takes the link's code, once. Only where there is no Key Vault: one process serves then."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._lock = asyncio.Lock()

    async def take(self, code: str, at: float) -> Operator | None:
        """The operator that the code signs in; None for a code that is none, was used or ended. Raises
        SecretsUnavailable.
        """
        async with self._lock:
            try:
                expected, _, ends = (await self._secrets.get(_SECRET)).partition(" ")
            except SecretMissing:
                return None
            if not ends.isdecimal() or at >= int(ends) or not hmac.compare_digest(_hash(code), expected):
                return None
            await self._secrets.set(_SECRET, "used")
        return Operator("local operator", frozenset({ADMIN}))


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
