from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.errors import UpstreamBroken
from gateway.upstream.transport import UpstreamResponse

_UNAUTHORIZED = 401
_CLIENT_ERRORS = range(400, 500)
_CODES = {403: "forbidden", 404: "not-found", 410: "deleted", 429: "throttled"}


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """What a FHIR server said: a resource, a Bundle, or the OperationOutcome of its refusal; in its own version."""

    status: int
    headers: Mapping[str, str]
    resource: dict[str, Any]

    @property
    def is_bundle(self) -> bool:
        """Whether it is a success that holds a Bundle."""
        return self.status in range(200, 300) and self.resource.get("resourceType") == "Bundle"


def read_answer(response: UpstreamResponse) -> UpstreamAnswer:
    """The resource in a response; a refusal without a FHIR body is given an OperationOutcome.

    Raises UpstreamBroken for HTML, truncated JSON, JSON that is no resource, redirects, and for 401: it is the gateway
    whose credential was refused, not the caller.
    """
    if response.status == _UNAUTHORIZED:
        raise UpstreamBroken("The FHIR server refuses the gateway's credential.", detail="status 401")
    resource = _parse(response.body)
    if resource is not None:
        return UpstreamAnswer(response.status, response.headers, resource)
    if response.status not in _CLIENT_ERRORS:
        raise UpstreamBroken("The FHIR server's answer is not FHIR JSON.", detail=f"status {response.status}")
    return UpstreamAnswer(response.status, response.headers, _outcome_for(response.status))


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        resource = orjson.loads(body)
    except ValueError:
        return None
    if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
        return resource
    return None


def _outcome_for(status: int) -> dict[str, Any]:
    text = f"The FHIR server answered with status {status}."
    issue = {"severity": "error", "code": _CODES.get(status, "processing"), "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
