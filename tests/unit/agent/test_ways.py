"""The way to a process that announces another address: where it listens, else where it announces to be."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance
from redis_fleet.agent.replication.ways import way_to
from redis_fleet.loopback import free_ports


@pytest.fixture
def listening() -> Iterator[Endpoint]:
    """Give a place where connections are taken."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Endpoint("127.0.0.1", server.getsockname()[1])


def closed() -> Endpoint:
    """Return a place where nobody listens."""
    return Endpoint("127.0.0.1", free_ports(1)[0])


def test_who_reaches_it_where_it_listens_goes_there(listening: Endpoint) -> None:
    assert way_to(Instance("a", "red1", listening, announces=closed())) == listening


def test_who_does_not_goes_where_it_announces_to_be(listening: Endpoint) -> None:
    assert way_to(Instance("a", "red1", closed(), announces=listening)) == listening


def test_while_it_is_down_nothing_is_remembered() -> None:
    inner, outer = closed(), closed()
    node = Instance("a", "red1", inner, announces=outer)
    assert way_to(node) == inner
    with socket.create_server((outer.address, outer.port)):
        assert way_to(node) == outer


def test_who_announces_nothing_else_is_not_tried() -> None:
    nobody = closed()
    assert way_to(Instance("a", "red1", nobody)) == nobody
