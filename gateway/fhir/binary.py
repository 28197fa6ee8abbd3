"""Binary by its content: the bytes of a document, as they are (http.html#binary)."""

from base64 import b64decode
from typing import Any

import orjson

from gateway.errors import UpstreamBroken
from gateway.fhir.answers import NOT_MODIFIED, Answer, passed_headers
from gateway.fhir.interactions import Interaction, Kind
from gateway.fhir.terms import Terms
from gateway.upstream import UpstreamResponse
from gateway.upstream.answers import read_answer

TYPE = "Binary"
_DEFAULT_TYPE = "application/octet-stream"
_SUCCESS = range(200, 300)


def is_content(interaction: Interaction) -> bool:
    """Whether the interaction may be answered by content instead of a resource."""
    return interaction.resource_type == TYPE and interaction.kind in (Kind.READ, Kind.VREAD)


def answer(got: UpstreamResponse, terms: Terms) -> Answer:
    """The content that the upstream sent, or that it wrapped in a resource; or its refusal. Raises UpstreamBroken."""
    headers = passed_headers(got.headers, terms.urls)
    if got.status == NOT_MODIFIED:
        return Answer(NOT_MODIFIED, headers)
    content_type = got.headers.get("Content-Type", _DEFAULT_TYPE)
    if got.status not in _SUCCESS:
        found = read_answer(got)
        return Answer(found.status, headers, terms.outcome(found.resource))
    content = got.body
    if "json" in content_type and (resource := _wrapped(content)) is not None:
        content_type = str(resource.get("contentType", _DEFAULT_TYPE))
        # `data` since R4, `content` before
        content = _decoded(resource.get("data", resource.get("content", "")))
    if not (content_type.isascii() and content_type.isprintable()):
        content_type = _DEFAULT_TYPE
    return Answer(got.status, {**headers, "Content-Type": content_type}, content=content)


def _wrapped(body: bytes) -> dict[str, Any] | None:
    try:
        resource = orjson.loads(body)
    except ValueError:
        return None
    return resource if isinstance(resource, dict) and resource.get("resourceType") == TYPE else None


def _decoded(text: object) -> bytes:
    try:
        return b64decode(str(text), validate=False)
    except ValueError:
        raise UpstreamBroken("The FHIR server's Binary is damaged.") from None
