from typing import Any

import orjson

from gateway.errors import FhirError, GatewayError
from gateway.exchange import Response
from gateway.fhir.faces import Face
from gateway.versions import FhirVersion

# Issue codes that DSTU2 and STU3 lack (http://hl7.org/fhir/issue-type).
_OLDER = {"deleted": "not-found", "multiple-matches": "duplicate"}


def operation_outcome(code: str, text: str, version: FhirVersion) -> dict[str, Any]:
    """An OperationOutcome with one error, in terms that the version knows."""
    if version is not FhirVersion.R4:
        code = _OLDER.get(code, code)
    issue = {"severity": "error", "code": code, "details": {"text": text}, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def error_outcome(error: GatewayError, version: FhirVersion) -> dict[str, Any]:
    code = error.code if isinstance(error, FhirError) else "transient" if error.status == 503 else "exception"  # noqa: PLR2004
    return operation_outcome(code, error.public, version)


def error_response(error: GatewayError, face: Face) -> Response:
    """FHIR's form of an error: an OperationOutcome in the version and media type of the face."""
    return Response(
        error.status,
        orjson.dumps(error_outcome(error, face.version)),
        {"Content-Type": face.media_type, "Cache-Control": "no-store", **error.headers},
    )
