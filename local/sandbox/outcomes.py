"""What the server answers when a request cannot be met: a status and an OperationOutcome."""

from collections.abc import Mapping
from typing import Any


class FhirError(Exception):
    """A request that ends with an OperationOutcome.

    `status` is the HTTP status, `code` an issue type that DSTU2, STU3 and R4 share
    (http://hl7.org/fhir/valueset-issue-type.html), `headers` go out with the answer.
    """

    def __init__(self, status: int, code: str, diagnostics: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(diagnostics)
        self.status = status
        self.code = code
        self.diagnostics = diagnostics
        self.headers = dict(headers or {})


def operation_outcome(code: str, diagnostics: str) -> dict[str, Any]:
    """Return an OperationOutcome with one error, valid in all three versions."""
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
