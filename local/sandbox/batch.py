"""Batch bundles of GET requests (http://hl7.org/fhir/R4/http.html#transaction)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from local.sandbox.answers import Answer, built_answer
from local.sandbox.endpoint import FhirEndpoint
from local.sandbox.outcomes import FhirError, operation_outcome


def batch(endpoint: FhirEndpoint, base: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Answer a batch with one entry per request, in order; a failing entry fails alone.

    FhirError 400 when the body is no batch Bundle. The Prefer header of the batch holds for its searches.
    """
    try:
        bundle = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FhirError(400, "structure", "The body is not JSON") from error
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise FhirError(400, "structure", "The body is not a Bundle")
    if bundle.get("type") != "batch":
        raise FhirError(400, "not-supported", "Only Bundles of type batch are supported")
    entries = [_entry(endpoint, base, entry, headers) for entry in bundle.get("entry") or []]
    response: dict[str, Any] = {"resourceType": "Bundle", "type": "batch-response"}
    if entries:
        response["entry"] = entries
    return built_answer(200, response)


def _entry(endpoint: FhirEndpoint, base: str, entry: Any, headers: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401 - whatever the client put into the Bundle
    try:
        answer = _answer(endpoint, base, entry, headers)
    except FhirError as error:
        outcome = operation_outcome(error.code, error.diagnostics)
        if endpoint.hospital.version == "dstu2":  # its response element has no outcome
            return {"resource": outcome, "response": {"status": _status_line(error.status)}}
        return {"response": {"status": _status_line(error.status), "outcome": outcome}}
    response = {"status": _status_line(answer.status)}
    if answer.etag:
        response["etag"] = answer.etag
    if not answer.body:
        return {"response": response}
    return {"resource": orjson.Fragment(answer.body), "response": response}


def _answer(endpoint: FhirEndpoint, base: str, entry: Any, headers: Mapping[str, str]) -> Answer:  # noqa: ANN401 - as above
    try:
        request = entry["request"]
        method, url = request["method"], str(request["url"])
    except (TypeError, KeyError) as error:
        raise FhirError(400, "required", "A batch entry needs request.method and request.url") from error
    if method != "GET":
        raise FhirError(405, "not-supported", "This server is read-only: batch entries can only GET")
    path, _, query = url.removeprefix(base).partition("?")
    return endpoint.get(
        base,
        path.strip("/"),
        query,
        {"prefer": headers.get("prefer", ""), "if-none-match": request.get("ifNoneMatch", "")},
    )


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
