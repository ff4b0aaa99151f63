"""Processes that listen on a Unix socket alone: how their place is written, and how it is found."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.conf.text import parse_file
from redis_fleet.agent.endpoint import Endpoint, place_of
from redis_fleet.agent.inspect.discover import _endpoints
from redis_fleet.agent.login import own_socket


def test_a_socket_is_its_path() -> None:
    place = Endpoint("/run/a/redis.sock", 0)
    assert place.on_socket
    assert not Endpoint("10.0.0.1", 6379).on_socket
    assert str(place) == place_of(place.address, 0) == "/run/a/redis.sock"
    assert Endpoint.parse(str(place)) == place


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("unixsocket /run/a.sock", "/run/a.sock"),
        ("dir /data\nunixsocket a.sock", "/data/a.sock"),
        ("unixsocket a.sock\ndir /data/", "/data/a.sock"),
        ("unixsocket /run/a.sock\nunixsocket /run/b.sock", "/run/b.sock"),
        ('dir /data\nunixsocket ""', ""),
        ("dir /data", ""),
        ("unixsocket a.sock", ""),
    ],
)
def test_the_file_names_the_socket(text: str, path: str) -> None:
    assert own_socket(parse_file(text)) == path


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a socket that is listened on, with a path longer than the kernel takes at once."""
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("redis.sock")
        server.listen()
        yield folder / "redis.sock"


def test_a_path_of_any_length_is_connected_to(listening: Path) -> None:
    assert len(str(listening)) > 107
    before = len(list(Path("/proc/self/fd").iterdir()))
    with connect(Access(Endpoint(str(listening), 0))):
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    listening.unlink()
    with pytest.raises(FileNotFoundError):
        connect(Access(Endpoint(str(listening), 0)))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_discovery_finds_the_sockets_of_a_process(listening: Path) -> None:
    assert Endpoint(str(listening), 0) in _endpoints(os.getpid())
