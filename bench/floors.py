"""How much time a goal leaves for the service's own work: the least that the same bytes, or the steps that no service
could leave out, cost by themselves.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from bench.goals import CROWD, LEAST_OF_NODE, LEAST_OF_NOOP, MOST_OF_PASS_THROUGH
from bench.measure import Cells
from bench.resources import SEARCHSET_ENTRIES, observation, searchset
from bench.timing import microseconds
from gateway.tokens.keys import SigningKey

_SECOND = 1_000_000


@dataclass(frozen=True)
class Steps:
    """Microseconds of one core, in a loop of their own."""

    verify: float
    """The check of an ES256 signature, by cryptography."""
    parse: float
    """The searchset read by orjson."""
    write: float


@dataclass(frozen=True)
class Floor:
    """Microseconds a request, of the one core that a worker process has."""

    what: str
    allowed: float
    """At this many the goal is met."""
    least: float
    made_of: str
    measured: float


def measure_steps() -> Steps:
    """Time each."""
    key = SigningKey.generate(datetime.now(UTC))
    signed, algorithm = b"x" * 700, ECDSA(SHA256())
    signature = key.private_key.sign(signed, algorithm)
    bundle = searchset("http://127.0.0.1/r4", [observation(number) for number in range(SEARCHSET_ENTRIES)], more=True)
    body = orjson.dumps(bundle)
    return Steps(
        microseconds(lambda: key.public_key.verify(signature, signed, algorithm), 500),
        microseconds(lambda: orjson.loads(body), 50),
        microseconds(lambda: orjson.dumps(bundle), 50),
    )


def floors(cells: Cells, steps: Steps) -> list[Floor]:
    """For every goal whose rows were measured at CROWD connections."""

    def spent(name: str) -> float:
        return _SECOND / cells[name, CROWD].per_second

    def measured(*names: str) -> bool:
        return all((name, CROWD) in cells for name in names)

    found = []
    if measured("token", "noop", "same_size"):
        made_of = "taking and sending as many bytes"
        found.append(Floor("token", spent("noop") / LEAST_OF_NOOP, spent("same_size"), made_of, spent("token")))
    if measured("read", "node_read", "read_pass_through"):
        least, made_of = spent("read_pass_through"), "a pass-through"
        found.append(Floor("read, token reused", spent("node_read") / LEAST_OF_NODE, least, made_of, spent("read")))
    if measured("read_fresh", "node_read_fresh", "read_pass_through"):
        least = spent("read_pass_through") + steps.verify
        made_of = "a pass-through and the check of a signature"
        found.append(
            Floor(
                "read, fresh token each", spent("node_read_fresh") / LEAST_OF_NODE, least, made_of, spent("read_fresh")
            )
        )
    if measured("search", "search_pass_through"):
        through = spent("search_pass_through")
        made_of = "a pass-through, reading the JSON and writing it"
        least = through + steps.parse + steps.write
        found.append(Floor("searchset of 200", MOST_OF_PASS_THROUGH * through, least, made_of, spent("search")))
    return found
