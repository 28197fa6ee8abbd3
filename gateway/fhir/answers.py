from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from gateway.exchange import Response
from gateway.fhir.faces import Face
from gateway.fhir.urls import UrlRewriter

NOT_MODIFIED = 304
# What an upstream's answer may tell the caller. Everything else stays here: cookies, servers' names, their hosts.
_PASSED = ("ETag", "Last-Modified", "Retry-After")
_ADDRESSES = ("Location", "Content-Location")
# A document of a stranger's is never to be run in the gateway's origin.
_CONTENT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


@dataclass(slots=True)
class Answer:
    """What a face says to one interaction: a resource in its own terms, content (of Binary), or neither (304)."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    resource: dict[str, Any] | None = None
    content: bytes | None = None

    def response(self, face: Face, urls: UrlRewriter) -> Response:
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.content is not None:
            return Response(self.status, self.content, {**headers, **_CONTENT_HEADERS})
        if self.resource is None:
            return Response(self.status, b"", headers)
        headers["Content-Type"] = face.media_type
        return Response(self.status, urls.document(self.resource), headers)

    def entry(self) -> dict[str, Any]:
        """As an entry of a batch-response."""
        response: dict[str, Any] = {}
        if "ETag" in self.headers:
            response["etag"] = self.headers["ETag"]
        if modified := _instant(self.headers.get("Last-Modified", "")):
            response["lastModified"] = modified
        return {"resource": self.resource, "response": response} if self.resource else {"response": response}


def passed_headers(upstream: Mapping[str, str], urls: UrlRewriter) -> dict[str, str]:
    """The upstream's headers that a caller may see.

    ETags become weak: the gateway's representation is not the upstream's, byte for byte, but stands for the same
    version (RFC 9110 §8.8.1).
    """
    passed = {name: value for name in _PASSED if (value := upstream.get(name)) and _is_sound(value)}
    if "ETag" in passed and not passed["ETag"].startswith("W/"):
        passed["ETag"] = f"W/{passed['ETag']}"
    for name in _ADDRESSES:
        if name in upstream and _is_sound(shown := urls.header(upstream[name])):
            passed[name] = shown
    return passed


def retry_header(upstream: Mapping[str, str]) -> dict[str, str]:
    """What of a search's headers a caller may see: a Bundle is the gateway's own, it has no version."""
    value = upstream.get("Retry-After", "")
    return {"Retry-After": value} if _is_sound(value) else {}


def _is_sound(value: str) -> bool:
    # The Functions host answers 500 for a header with anything else.
    return value != "" and value.isascii() and value.isprintable()


def _instant(http_date: str) -> str:
    try:
        return parsedate_to_datetime(http_date).isoformat() if http_date else ""
    except ValueError:
        return ""
