import errno
import secrets
import socket

from local.failure import LocalFailure

# Below the ports that systems give to outgoing connections (from 32768 on Linux, 49152 elsewhere): one of those could
# take the port before its program listens, or while that is restarted.
_RANGE = range(20_000, 32_768)
_TRIES = 1000
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listened on a moment ago, another one at each call."""
    for _ in range(_TRIES):
        port = secrets.choice(_RANGE)  # not `random`, which a test may have seeded: two processes would draw the same
        if port in _given:
            continue
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        _given.add(port)
        return port
    raise LocalFailure(f"found no free port from {_RANGE.start} to {_RANGE.stop - 1}")


def require_free(port: int, variable: str, purpose: str) -> None:
    """Raise LocalFailure, naming `variable` as the way out, when something already listens on `port`."""
    # `localhost` may mean either address: another program on one of them would answer in our place.
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            socket.create_server((host, port), family=family).close()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise LocalFailure(
                    f"port {port} ({purpose}) is taken: stop what listens there, or choose another with {variable}=…"
                ) from None
            if error.errno == errno.EACCES:
                raise LocalFailure(f"port {port} ({purpose}) needs root: choose another with {variable}=…") from None
