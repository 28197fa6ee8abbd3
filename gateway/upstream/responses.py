from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache

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
    headers = answer.headers
    if int(headers.get("Content-Length", 0)) > MAX_BYTES:
        raise AnswerTooLarge("The FHIR server's answer is too large.")
    body = await read_body(answer.content, MAX_BYTES)
    return UpstreamResponse(answer.status, headers, _utf8(headers.get("Content-Type", ""), body))


async def read_body(content: aiohttp.StreamReader, most: int) -> bytes:
    """The whole body, however many packets it comes in. Raises AnswerTooLarge beyond `most` bytes; leaving then without
    having read it all closes the connection.
    """
    body = await content.readany()
    if not content.at_eof():
        chunks, size = [body], len(body)
        while size <= most and not content.at_eof():
            chunks.append(await content.readany())
            size += len(chunks[-1])
        body = b"".join(chunks)
    if len(body) > most:
        raise AnswerTooLarge("The FHIR server's answer is too large.")
    return body


def _utf8(content_type: str, body: bytes) -> bytes:
    charset = _charset(content_type)
    if charset is None:
        return body
    if charset in _UTF8:
        return body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return body.decode(charset).encode()
    except (LookupError, UnicodeDecodeError):
        return body


@lru_cache(maxsize=256)
def _charset(content_type: str) -> str | None:
    """What text of this media type is written in, empty when it does not say; None for what is no text."""
    lowered = content_type.lower()
    if "json" not in lowered and "xml" not in lowered and not lowered.startswith("text/"):
        return None
    message = Message()
    message["Content-Type"] = content_type
    return message.get_content_charset("")
