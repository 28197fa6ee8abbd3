"""Single calls in loops of their own. Imports nothing of this project and no library."""

import time
from collections.abc import Callable

_ROUNDS = 7


def microseconds(call: Callable[[], object], times: int) -> float:
    """Processor time of one call: the best of some rounds of so many."""
    taken = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        for _ in range(times):
            call()
        taken.append((time.process_time() - started) / times * 1e6)
    return min(taken)
