import socket

import pytest

from local import ports
from local.failure import LocalFailure
from local.ports import free_port, require_free


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_port_taken_on_either_loopback_address_is_named(family: socket.AddressFamily, host: str) -> None:
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with server:
        port = server.getsockname()[1]
        with pytest.raises(LocalFailure, match=rf"port {port} \(Azurite\) is taken: .*AZURITE_TABLE_PORT="):
            require_free(port, "AZURITE_TABLE_PORT", "Azurite")


def test_a_free_port_passes() -> None:
    require_free(free_port(), "PORT", "the function app")


def test_free_ports_differ_and_are_none_that_outgoing_connections_get() -> None:
    given = [free_port() for _ in range(200)]
    assert len(set(given)) == len(given)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert max(given) < client.getsockname()[1]


def test_a_taken_port_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        free = free_port()
        monkeypatch.setattr(ports, "_RANGE", range(taken, taken + 1))
        with pytest.raises(LocalFailure, match=f"no free port from {taken} to {taken}"):
            free_port()
    assert free != taken
