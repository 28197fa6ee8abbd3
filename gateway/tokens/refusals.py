"""Why a client was refused: for the operator's log only. The answer is the same for every reason."""

from collections.abc import Mapping
from datetime import datetime

from gateway.errors import InvalidClient
from gateway.registry import Client
from gateway.registry.models import ClientSecret
from gateway.telemetry.events import AUTHENTICATION_FAILED, caller_hash
from gateway.tokens.failures import caller_address


class Refused(InvalidClient):
    """With the class of the reason (docs/observability.md lists them), and the client where it is a registered one."""

    def __init__(self, reason: str, client: Client | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.client = client


def tell(reason: str, method: str, client: Client | None, headers: Mapping[str, str]) -> None:
    """Log a refusal. Of the client's id only a registered one is repeated: others may be anything, a password too."""
    AUTHENTICATION_FAILED.log(
        reason=reason,
        method=method,
        client_id=client.client_id if client is not None else "",
        caller=caller_hash(caller_address(headers)),
    )


def client_refusal(client: Client | None, method: str) -> str:
    """What is wrong with the client, whatever it sent; empty: nothing."""
    if client is None:
        return "unknown-client"
    if not client.enabled:
        return "disabled-client"
    return "" if method in client.auth_methods else "method-not-allowed"


def secret_refusal(client: Client | None, method: str, matched: ClientSecret | None, at: datetime) -> str:
    """Why a secret did not do; `matched` is the one of the client's that was sent, if any."""
    state = matched.state(at) if matched is not None else "wrong"
    return client_refusal(client, method) or f"{state}-secret"
