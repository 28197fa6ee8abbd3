"""A body becomes a FHIR resource, or a fixed text that says why it is none."""

from typing import Any

import orjson

from gateway.conformance.paths import Resource

HTML = "an HTML page instead of FHIR JSON"
XML = "XML instead of JSON"
EMPTY = "an empty body"
NOT_JSON = "a body that is not JSON"
NOT_FHIR = "JSON that is no FHIR resource"
REDIRECT = "a redirect instead of an answer"
TIMEOUT = "no answer in time"
UNREACHABLE = "the connection failed"
NO_CREDENTIAL = "no credential: the token could not be renewed"

_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304


def read_body(status: int, body: bytes) -> tuple[Resource | None, str]:
    """The resource, or None and the problem."""
    if status in _REDIRECTS and status != _NOT_MODIFIED:
        return None, REDIRECT
    if not body.strip():
        return None, EMPTY
    try:
        content: Any = orjson.loads(body)
    except ValueError:
        start = body[:500].lower()
        markup = start.lstrip().startswith(b"<")
        return None, HTML if b"<html" in start or b"<!doctype html" in start else XML if markup else NOT_JSON
    if not isinstance(content, dict) or not isinstance(content.get("resourceType"), str):
        return None, NOT_FHIR
    return content, ""
