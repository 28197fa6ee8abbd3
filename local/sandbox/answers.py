"""What the server answers inside: a status and a body, before HTTP or a batch dresses it."""

from dataclasses import dataclass
from typing import Any

import orjson

from local.sandbox.store import Stored


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with a resource already serialised (empty for 304), and its validators if it has them."""

    status: int
    body: bytes
    etag: str = ""
    last_modified: str = ""


def resource_answer(resource: Stored) -> Answer:
    """Return a stored resource as the answer to a read."""
    return Answer(200, resource.body, resource.etag, resource.last_modified)


def built_answer(status: int, content: Any) -> Answer:  # noqa: ANN401 - JSON, with orjson.Fragment inside
    """Return a resource made up for this answer: a Bundle, a capability statement or an OperationOutcome."""
    return Answer(status, orjson.dumps(content))
