import asyncio
from collections.abc import Awaitable, Callable, Hashable


class SharedCalls[T]:
    """At most one call at a time for a key; whoever asks meanwhile shares its result, or its failure."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}

    async def of(self, key: Hashable, call: Callable[[], Awaitable[T]]) -> T:
        """The result of the call under way, or of `call`. Raises what that raises."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(_run(call))
            task.add_done_callback(lambda done: self._settled(key, done))
        # It is everybody's call: it goes on when the one who began it goes away.
        return await asyncio.shield(task)

    def _settled(self, key: Hashable, task: asyncio.Task[T]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # looked at, also when nobody waits any more


async def _run[T](call: Callable[[], Awaitable[T]]) -> T:
    return await call()
