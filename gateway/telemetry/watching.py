"""What the service lets itself be watched by; without telemetry nobody does, and nothing is paid for it."""

from contextlib import AbstractContextManager
from typing import Protocol


class WatchedExchange(Protocol):
    """One exchange with a FHIR server."""

    headers: dict[str, str]
    """To be sent with it: `traceparent` (W3C Trace Context §3.2) and nothing else."""
    status: int
    """Of the answer, to be set when it is read."""


class ExchangeWatch(Protocol):
    def exchange(self, tenant_id: str, method: str, host: str) -> AbstractContextManager[WatchedExchange]:
        """Around one exchange with a tenant's FHIR server, a retry being another one."""
        ...
