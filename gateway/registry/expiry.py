import time
from collections.abc import Callable
from datetime import datetime, timedelta

from gateway.registry.models import Client, now
from gateway.telemetry.events import SECRET_EXPIRING, Seldom

NOTICE = timedelta(days=14)
_DAY_SECONDS = 86_400


class Expiring:
    """Tells once a day of secrets that end within `NOTICE`, of clients that are in use."""

    def __init__(self, clock: Callable[[], datetime] = now, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told = Seldom(_DAY_SECONDS, monotonic)

    def look(self, client: Client) -> None:
        """Whenever a client is read."""
        if not client.enabled:
            return
        at = self._clock()
        active = [secret for secret in client.secrets if secret.state(at) == "active"]
        for secret in active:
            if secret.expires - at <= NOTICE and self._told.allows(secret.secret_id):
                SECRET_EXPIRING.log(
                    client_id=client.client_id,
                    secret_id=secret.secret_id,
                    expires=secret.expires.isoformat(timespec="seconds"),
                    days=(secret.expires - at).days,
                    successors=sum(other.expires > secret.expires for other in active),
                )
