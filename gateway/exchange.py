"""Requests, responses and the time of their hops, without a word about the host they run on."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from uuid import uuid4

# A request id has to be unique, not secret: random for the process, then a number.
_PROCESS = uuid4().hex[:20]
_numbers = count(1)

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HOPS = ("auth", "map", "upstream", "adapt")
_SERVER_TIMING = ", ".join(f"{name};dur=%.2f" for name in (*HOPS, "total"))


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
    """`cookies` are Set-Cookie values, the one header that repeats."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()


class Hop:
    # A class, not a generator: this stands on the hot path several times a request.
    __slots__ = ("_name", "_started", "_timing")

    def __init__(self, timing: "Timing", name: str) -> None:
        self._timing = timing
        self._name = name
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        seconds = self._timing.seconds
        seconds[self._name] = seconds.get(self._name, 0.0) + time.perf_counter() - self._started


class Timing:
    """Seconds spent in each hop of one request, for `Server-Timing` and the access log."""

    __slots__ = ("_started", "seconds")

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def hop(self, name: str) -> Hop:
        """Time a `with` block; blocks of one name add up."""
        return Hop(self, name)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def beside(self) -> "Timing":
        """For calls within this request that are timed apart, such as the entries of a batch."""
        return Timing()

    def concerns(self, tenant_id: str, face: str) -> None:
        """Whose request this is, as soon as that is known; what a timing that is watched (gateway.telemetry) notes."""

    def total(self) -> float:
        return time.perf_counter() - self._started

    def header(self) -> str:
        """The `Server-Timing` value, in milliseconds, every hop named."""
        milliseconds = [self.seconds.get(name, 0.0) * 1000 for name in HOPS]
        return _SERVER_TIMING % (*milliseconds, self.total() * 1000)


def request_id(sent: str | None) -> str:
    """The caller's correlation id when it is a sane one, else a new one."""
    return sent if sent and _SANE_ID.fullmatch(sent) else f"{_PROCESS}-{next(_numbers):x}"
