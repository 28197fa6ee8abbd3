"""Reads the JWKS documents that clients publish."""

import aiohttp

from gateway.errors import StorageUnavailable
from gateway.settings import Settings
from gateway.tokens.client_keys import MAX_DOCUMENT_BYTES, Fetch
from gateway.upstream.addresses import check_address

_SECONDS = 5


def document_reader(session: aiohttp.ClientSession, settings: Settings) -> Fetch:
    """A reader of addresses that requests may go to, by the same rules as an upstream's (ADR 0011), without redirects.

    `session` is one of `gateway.upstream.session.open_session`, which looks at the address of each connection.
    """

    async def fetch(address: str) -> bytes:
        try:
            check_address(address, settings)
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            async with session.get(address, allow_redirects=False, timeout=timeout) as answer:
                if answer.status != 200:  # noqa: PLR2004
                    raise StorageUnavailable(f"a client's JWKS address answered {answer.status}")
                body = await answer.content.read(MAX_DOCUMENT_BYTES + 1)
                while len(body) <= MAX_DOCUMENT_BYTES and (more := await answer.content.read(MAX_DOCUMENT_BYTES)):
                    body += more
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise StorageUnavailable(f"a client's JWKS address: {type(error).__name__}") from error
        if len(body) > MAX_DOCUMENT_BYTES:
            raise StorageUnavailable("a client's JWKS is too large")
        return body

    return fetch
