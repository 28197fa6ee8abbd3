"""All of a list that comes in pages."""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.registry import Page, Stored

LARGEST_PAGE = 1000


async def up_to[T](
    most: int | None, page: Callable[[int, str], Coroutine[Any, Any, "Page[Stored[T]]"]]
) -> AsyncIterator[T]:
    """The things in a paged list, at most `most` (None: all), a page at a time."""
    continuation, count = "", 0
    while most is None or count < most:
        got = await page(LARGEST_PAGE if most is None else min(LARGEST_PAGE, most - count), continuation)
        for item in got.items:
            yield item.value
        count += len(got.items)
        continuation = got.continuation
        if not continuation:
            return
