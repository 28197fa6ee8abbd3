import errno
import socket

from local.failure import LocalFailure


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


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
