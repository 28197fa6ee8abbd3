"""Requests, responses and the time of their hops, without a word about the host they run on."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HOPS = ("auth", "map", "upstream", "adapt")


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is what follows the route's prefix, decoded; `query` is raw; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str


@dataclass(slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Timing:
    """Seconds spent in each hop of one request, for `Server-Timing` and the access log."""

    __slots__ = ("_started", "seconds")

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def hop(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def total(self) -> float:
        return time.perf_counter() - self._started

    def header(self) -> str:
        """The `Server-Timing` value, in milliseconds, every hop named."""
        hops = [f"{name};dur={self.seconds.get(name, 0.0) * 1000:.2f}" for name in HOPS]
        return ", ".join([*hops, f"total;dur={self.total() * 1000:.2f}"])


def request_id(sent: str | None) -> str:
    """The caller's correlation id when it is a sane one, else a new one."""
    return sent if sent and _SANE_ID.fullmatch(sent) else str(uuid4())
