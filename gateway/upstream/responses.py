from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from gateway.errors import UpstreamBroken

MAX_BYTES = 50_000_000
"""Of an answer, after decompression."""
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class AnswerTooLarge(UpstreamBroken):
    """The server works; this one answer is more than the gateway takes."""


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """`body` is decompressed; text is UTF-8, whatever the server wrote it in."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def read_response(answer: aiohttp.ClientResponse) -> UpstreamResponse:
    """Read the body, at most MAX_BYTES of it. Raises AnswerTooLarge, and aiohttp.ClientError when it breaks off."""
    if (answer.content_length or 0) > MAX_BYTES:
        raise AnswerTooLarge("The FHIR server's answer is too large.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > MAX_BYTES:
            # Leaving without having read it all closes the connection.
            raise AnswerTooLarge("The FHIR server's answer is too large.")
        chunks.append(chunk)
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    return UpstreamResponse(answer.status, answer.headers, _utf8(answer, body))


def _utf8(answer: aiohttp.ClientResponse, body: bytes) -> bytes:
    content_type = answer.headers.get("Content-Type", "").lower()
    if "json" not in content_type and "xml" not in content_type and not content_type.startswith("text/"):
        return body
    charset = (answer.charset or "").lower()
    if charset in _UTF8:
        return body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return body.decode(charset).encode()
    except (LookupError, UnicodeDecodeError):
        return body
