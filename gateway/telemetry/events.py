"""Every log event by name. docs/observability.md says what each means; a test holds code and document together.

`fhir-access` and `registry-change` are written where their facts are gathered: `gateway.telemetry.access` and
`gateway.audit`.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

_log = logging.getLogger("gateway.events")
# The command line says itself what went wrong: without handlers elsewhere, events do not fall through to its output.
_log.addHandler(logging.NullHandler())

_REMEMBERED = 1000
_CALLER_KEY = secrets.token_bytes(32)
_HASH_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Event:
    """`properties` are the names that every event of this kind carries, beside `event` itself."""

    name: str
    level: int
    message: str
    properties: tuple[str, ...]

    def log(self, **properties: str | float) -> None:
        _log.log(self.level, self.message, extra={"event": self.name, **properties})


CIRCUIT_OPENED = Event(
    "circuit-opened", logging.WARNING, "a FHIR server is given a pause", ("tenant", "reason", "pause_seconds")
)
CIRCUIT_HALF_OPEN = Event("circuit-half-open", logging.INFO, "one request tries a FHIR server", ("tenant",))
CIRCUIT_CLOSED = Event("circuit-closed", logging.INFO, "a FHIR server answers again", ("tenant", "open_seconds"))
AUTHENTICATION_FAILED = Event(
    "authentication-failed", logging.WARNING, "a client was refused", ("reason", "method", "client_id", "caller")
)
TOKEN_LIMIT_HIT = Event(
    "token-limit-hit",
    logging.WARNING,
    "a token request was put off",
    ("limit", "client_id", "caller", "retry_after_seconds"),
)
STORAGE_UNAVAILABLE = Event(
    "storage-unavailable", logging.WARNING, "Table Storage could not be read", ("cache", "serving", "error")
)
KEY_REFRESH_FAILED = Event(
    "key-refresh-failed", logging.ERROR, "keys could not be read anew", ("secret", "serving", "error")
)
DEPENDENCY_RESTORED = Event("dependency-restored", logging.INFO, "what failed is read again", ("cache", "seconds"))
SECRET_EXPIRING = Event(
    "secret-expiring",
    logging.WARNING,
    "a client's secret ends soon",
    ("client_id", "secret_id", "expires", "days", "successors"),
)
REQUEST_FAILED = Event(
    "request-failed", logging.ERROR, "a request failed by a defect", ("error", "where", "correlation_id")
)

EVENTS = {event.name: event for event in list(globals().values()) if isinstance(event, Event)}


class Seldom:
    """Lets an event about one subject through once in so many seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: OrderedDict[str, float] = OrderedDict()

    def allows(self, subject: str) -> bool:
        at = self._clock()
        last = self._last.get(subject)
        if last is not None and at - last < self._seconds:
            return False
        self._last[subject] = at
        self._last.move_to_end(subject)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return True


def caller_hash(address: str) -> str:
    """What events say instead of a caller's address: the same one throughout the life of this process."""
    return hmac.digest(_CALLER_KEY, address.encode(), hashlib.sha256).hex()[:_HASH_LENGTH]


def place_of(trace: TracebackType | None) -> str:
    """`file:line` where an exception was raised; its own text may quote what a hospital sent."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""
