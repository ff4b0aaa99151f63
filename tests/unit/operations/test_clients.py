"""Where clients of a service run."""

from __future__ import annotations

import socket
from pathlib import Path

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance, ServiceAccess
from redis_fleet.operations.clients import from_here


def reached(endpoint: Endpoint) -> bool:
    """Say whether the client of a service of one server would run here."""
    return from_here(ServiceAccess("orders", members=(Instance("orders@red1", "red1", endpoint),)))


def test_a_port_that_is_reached_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert reached(Endpoint(*server.getsockname()))


def test_a_socket_of_the_same_path_here_is_another_servers(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        assert not reached(Endpoint(str(tmp_path / "s"), 0))
