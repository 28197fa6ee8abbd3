import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RequestLimitReached(Exception):
    """The run has sent as many requests as it may."""


class Allowance:
    """How many requests a side may send, in all and at a time."""

    def __init__(self, *, most: int, at_a_time: int) -> None:
        self.most = most
        self.sent = 0
        self._places = asyncio.Semaphore(at_a_time)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Room for one request. Raises RequestLimitReached."""
        # Counted before the wait, so that which requests fit does not depend on how fast the others are answered.
        if self.sent >= self.most:
            raise RequestLimitReached
        self.sent += 1
        async with self._places:
            yield
