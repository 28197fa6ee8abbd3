"""Serves an application on a socket, until it is told to stop."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn

from local.worker.application import Application
from local.worker.errors import HostError

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A request that is still running holds the end up for at most this long.
_GRACE_SECONDS = 5


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal, and do not raise it again as uvicorn does: a wanted stop exits with 0."""
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket (``port`` 0 picks a free one); raises HostError if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        # Python adds the address, which this line names anyway.
        reason = str(error.strerror).partition(" (while ")[0]
        raise HostError(f"cannot listen on port {port} of {host}: {reason}; choose another with PORT=") from None


def make_server(application: Application) -> uvicorn.Server:
    """Return the server for an application: uvloop and httptools, no access log (URLs would be in it)."""
    return _Server(
        uvicorn.Config(
            application,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
