"""Processes that a deployment left on a machine, found by their units or in a sandbox's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet.agent.access import Access
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.inspect.undescribed import undescribed
from redis_fleet.agent.messages.kind import SENTINEL, SERVER
from redis_fleet.agent.messages.observation import Observe
from redis_fleet.agent.messages.process import ManagedProcess

KINDS = (SERVER, SENTINEL)


def unit(folder: Path, name: str, mark: str, *, sentinel: bool = False) -> Path:
    """Write a unit file; returns where its process's configuration would be."""
    file = folder / "etc" / name / ("sentinel.conf" if sentinel else "redis.conf")
    text = f"[Unit]\nDescription=x\n{mark}\n\n[Service]\nExecStart=/usr/bin/redis-server {file}\n"
    (folder / f"redis-{name}.service").write_text(text, encoding="utf-8")
    return file


def found(folder: Path, *described: Path) -> list[ManagedProcess]:
    """Return what is found by units."""
    return undescribed(
        Observe(tuple(map(process, described)), units=f"{folder}/redis-*.service", deployment="shop", kinds=KINDS)
    )


def process(path: Path) -> ManagedProcess:
    """Return a described process with this file."""
    return ManagedProcess(path.parent.name, SERVER, Access(Endpoint("127.0.0.1", 1)), str(path))


def test_a_unit_says_whose_it_is(tmp_path: Path) -> None:
    mine = unit(tmp_path, "orders-6379", "X-Redis-Fleet-Deployment=shop")
    described = unit(tmp_path, "carts-6380", "X-Redis-Fleet-Deployment=shop")
    unit(tmp_path, "other-6381", "X-Redis-Fleet-Deployment=shop2")
    unit(tmp_path, "foreign-6382", "Documentation=none")
    (tmp_path / "redis-masked.service").symlink_to("/dev/null")

    [one] = found(tmp_path, described)

    assert (one.name, one.unit, one.configuration) == ("orders-6379", "redis-orders-6379.service", str(mine))
    assert (one.kind.name, one.access.endpoint.port, one.data, one.access.secret) == ("server", 0, "", None)


def test_a_described_process_whose_files_moved_is_no_stray(tmp_path: Path) -> None:
    unit(tmp_path, "orders-6379", "X-Redis-Fleet-Deployment=shop")

    assert found(tmp_path, Path("/elsewhere/orders-6379/redis.conf")) == []


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("bind 127.0.0.1 10.0.0.11\nport 7000\n", "10.0.0.11", 7000),
        ("bind 127.0.0.1 -::1\nport 7000\n", "127.0.0.1", 7000),
        ("bind * -::*\n", "127.0.0.1", 26379),
        ("bind -10.0.0.11\nbind 10.0.0.12\nport 1\nport 2\n", "10.0.0.12", 2),
        ("dir /data\n", "127.0.0.1", 26379),
    ],
)
def test_its_own_file_says_where_it_listens(tmp_path: Path, text: str, address: str, port: int) -> None:
    file = unit(tmp_path, "sentinel-26379", "X-Redis-Fleet-Deployment=shop", sentinel=True)
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")

    [one] = found(tmp_path)

    assert (one.kind.name, one.access.endpoint) == ("sentinel", Endpoint(address, port))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("port 0\nunixsocket /run/a/redis.sock\ndir /data\n", "/run/a/redis.sock"),
        ("port 0\nunixsocket redis.sock\ndir /data\n", "/data/redis.sock"),
        ("unixsocket /run/a.sock\nport 0\nunixsocket /run/b.sock\n", "/run/b.sock"),
        ("port 0\nunixsocket redis.sock\n", "127.0.0.1:0"),
        ('port 0\nunixsocket ""\ndir /data\n', "127.0.0.1:0"),
        ("port 7000\nunixsocket /run/a.sock\n", "127.0.0.1:7000"),
    ],
)
def test_without_a_port_it_listens_on_its_socket(tmp_path: Path, text: str, place: str) -> None:
    file = unit(tmp_path, "orders-socket", "X-Redis-Fleet-Deployment=shop")
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")

    [one] = found(tmp_path)

    assert str(one.access.endpoint) == place


def test_in_a_sandbox_every_folder_with_a_configuration_counts(tmp_path: Path) -> None:
    for name in ("orders-1/redis.conf", "carts-2/valkey.conf", "sentinel-3/sentinel.conf", "data/dump.rdb"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("port 1\n", encoding="utf-8")
    processes = (process(tmp_path / "orders-1" / "redis.conf"),)

    seen = undescribed(Observe(processes, root=str(tmp_path), kinds=KINDS))

    assert [(one.name, one.kind.name, one.unit) for one in seen] == [
        ("carts-2", "server", ""),
        ("sentinel-3", "sentinel", ""),
    ]
    assert undescribed(Observe(processes)) == []
