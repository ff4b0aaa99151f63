"""Servers that listen on a socket alone, in a sandbox: deployed, changed, restarted and verified by way of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.protocol.resp import Connection, info
from redis_fleet.agent.replication.verification import verify
from redis_fleet.topology.service_access import target
from tests.harness.live.editing import Description, ask, deploy, edit, planned, told
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, box

_SOCKET = """
      unixsocket: "/run/redis-{{ name }}/redis.sock"
      unixsocketperm: 770
"""
_ALONE = {
    "  red1: {address: 10.0.0.11}\n": "  red1: {address: 10.0.0.11}\n  red2: {address: 10.0.0.12}\n",
    "    master: red1\n": "    master: red1\n    port: 0\n",
    "      maxmemory: 1gb\n": f"      maxmemory: 1gb{_SOCKET}  cache:\n    master: red2\n    port: 0\n    config:\n"
    f"      maxmemory: 64mb{_SOCKET}",
}
ORDERS, CACHE = "orders-socket@red1", "cache-socket@red2"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give two servers without ports; the paths of their sockets are longer than the kernel takes at once."""
    with box(tmp_path_factory.mktemp("socket") / ("x" * 60), "standalone", _ALONE) as one:
        yield one


def asked(made: Box, name: str) -> Connection:
    """Connect to a process by its socket."""
    process = made.process(name)
    return connect(Access(process.endpoint, process.password))


def state(made: Box) -> dict[str, bool]:
    """Return what verify finds of each process, by its first check."""
    checks = made.on("verify", "--json").json()["checks"]
    return {each["subject"]: each["ok"] for each in checks if each["check"] == "answers"}


def test_it_is_deployed_by_way_of_its_socket(made: Box) -> None:
    with asked(made, ORDERS) as connection:
        assert info(connection.call("INFO", "server"))["tcp_port"] == "0"
    fleet = made.fleet
    assert all(check.ok for service in fleet.services for check in verify(target(fleet, service)))


@pytest.mark.long
def test_it_is_changed_and_restarted_by_way_of_its_socket(made: Box) -> None:
    with asked(made, ORDERS) as connection:
        connection.call("SET", "kept", "yes")
    before = Path(made.process(ORDERS).endpoint.address)
    ask(made, maxmemory="2gb", unixsocket="/run/redis-{{ name }}/other.sock")

    done = deploy(made, "--yes")

    assert [(each["how"], each["process"]) for each in done["steps"]] == [
        ("LIVE", "orders-socket"),
        ("RESTART", "orders-socket"),
    ]
    assert state(made) == {ORDERS: True, CACHE: True}
    assert not before.exists()
    assert Path(made.process(ORDERS).endpoint.address) == before.with_name("other.sock")
    with asked(made, ORDERS) as connection:
        assert connection.call("GET", "kept") == "yes"
        assert connection.call("CONFIG", "GET", "maxmemory")[1] == str(2 << 30)


@pytest.mark.long
def test_one_that_is_down_is_told_and_started(made: Box) -> None:
    with asked(made, CACHE) as connection:
        pid = int(info(connection.call("INFO", "server"))["process_id"])
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: pid not in made.processes(), "it is gone")
    verified, status = made.on("verify"), made.on("status")
    assert (verified.code, status.code) == (1, 1), verified.both + status.both
    assert state(made) == {ORDERS: True, CACHE: False}
    assert told(deploy(made)) == [("START", CACHE)]
    assert state(made) == {ORDERS: True, CACHE: True}


@pytest.mark.long
def test_its_data_does_not_move_to_a_port(made: Box) -> None:
    before = made.file.read_text(encoding="utf-8")

    def with_port(file: Description) -> None:
        file["services"]["orders"]["port"] = "6379"

    edit(made, with_port)
    try:
        plan = planned(made)
    finally:
        made.file.write_text(before, encoding="utf-8")
    assert plan["steps"] == []
    assert [(each["code"], each["subject"]) for each in plan["refused"]] == [("socket-alone", "orders")]


@pytest.mark.long
def test_nobody_else_takes_its_place(made: Box) -> None:
    for words in (("switchover", "--yes"), ("promote", "--yes")):
        refused = made.run(COMMAND, *words, "--sandbox", made.file, "orders")
        assert refused.code == 1, refused.both
        assert "nothing was touched" in refused.both or "use switchover" in refused.both


@pytest.mark.long
def test_what_leaves_the_description_is_stopped(made: Box) -> None:
    def without_cache(file: Description) -> None:
        del file["services"]["cache"]

    with asked(made, CACHE) as connection:
        pid = int(info(connection.call("INFO", "server"))["process_id"])
    edit(made, without_cache)
    assert told(deploy(made, "--yes")) == [("STOP", CACHE)]
    assert pid not in made.processes()
    assert state(made) == {ORDERS: True}
