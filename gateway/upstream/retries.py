"""When a read is asked again, and after how long."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

ATTEMPTS = 3
REPEATABLE = frozenset({429, 502, 503, 504})
FAILURES = frozenset({502, 503, 504})
"""Statuses that speak of a server in trouble; a 500 may be about one request only."""
_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 2.0
# Less than this left for the repetition is not worth it.
LEAST_SECONDS = 0.25


def is_read(method: str, path: str) -> bool:
    """Whether a request may be sent twice: the gateway only reads, a batch is too dear to repeat."""
    return method in ("GET", "HEAD") or (method == "POST" and path.endswith("/_search"))


def retry_after_seconds(value: str | None, now: datetime | None = None) -> float | None:
    """RFC 9110 §10.2.3, as seconds or as a date; None when absent or unreadable."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdecimal():
        return float(value.strip()[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wait: float = (moment - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, wait)


def backoff_seconds(attempt: int) -> float:
    """A random part of a time that doubles with every attempt (the first is 1): retries of many never march in step."""
    return random.uniform(0.5, 1) * min(_FIRST_SECONDS * float(2**attempt), _LONGEST_SECONDS)  # noqa: S311  # no secret
