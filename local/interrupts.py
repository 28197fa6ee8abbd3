import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def treat_as_ctrl_c() -> None:
    """From now on SIGTERM and SIGHUP raise KeyboardInterrupt too: what has been started is then stopped."""
    for number in ENDING:
        signal.signal(number, _interrupt)


@contextmanager
def deferred() -> Iterator[None]:
    """Hold Ctrl-C, SIGTERM and SIGHUP back until the block is done; KeyboardInterrupt then, if one came.

    For the steps between which an interruption would leave a program running that nobody knows of. (A blocked
    signal mask would do as well, but the programs that are started would inherit it.)
    """
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held:
        raise KeyboardInterrupt


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
