"""Single faults of a deployment that runs, as data: how each is made, how it is undone, and the codes that name it.

Each is made by hand on real processes, and undone, so that one sandbox is used for all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from redis_fleet.agent.conf import aof
from redis_fleet.agent.inspect.observe import observe
from redis_fleet.agent.replication.fence import FENCE
from redis_fleet.agent.replication.health import Trouble
from redis_fleet.loopback import free_ports
from redis_fleet.model import Process
from redis_fleet.observe.facts import observed
from redis_fleet.observe.request import request
from redis_fleet.plan.health import everything_wrong
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import Box, client_of

MASTER, REPLICA, OTHER = "orders-6379@red1", "orders-6379@red2", "orders-6379@red3"
SENTINEL = "sentinel-26379@red3"
NOWHERE = "127.0.0.1", 1
"""An address at which nobody answers."""


@dataclass(frozen=True)
class Fault:
    """``made`` makes it in a sandbox of ``sample`` and undoes it at its end; each of ``codes`` has to be said."""

    made: Callable[[Box], AbstractContextManager[Any]]
    codes: frozenset[str]
    sample: str = "sentinel"


FAULTS: dict[str, Fault] = {}
_Make = Callable[[Box], Iterator[None]]


def fault(name: str, *codes: str, sample: str = "sentinel") -> Callable[[_Make], _Make]:
    """Note a fault under its name."""

    def note(make: _Make) -> _Make:
        FAULTS[name] = Fault(contextmanager(make), frozenset(codes), sample)
        return make

    return note


def wrong(made: Box) -> list[Trouble]:
    """Return what is wrong now, as ``status`` and ``verify`` say it, without Ansible between."""
    fleet = made.fleet
    answers = {machine: observe(request(fleet, machine)) for machine in fleet.machines}
    return everything_wrong(fleet, observed(answers), time.time())


def sound(made: Box) -> None:
    """Wait until nothing is wrong."""
    last: list[Trouble] = []

    def none() -> bool:
        last[:] = wrong(made)
        return not last

    with contextlib.suppress(AssertionError):
        eventually(none, "nothing is wrong", 60)
    assert not last, "\n".join(map(str, last))


def told(made: Box, name: str, *commands: str) -> list[Any]:
    """Give a process commands by hand; a word in quotes may be empty."""
    with client_of(made.process(name)) as client:
        return [client.execute_command(*(word.strip("'") for word in each.split())) for each in commands]


def _set(name: str, by_hand: dict[str, str], *codes: str, on: tuple[str, ...] = (REPLICA,), sample: str) -> None:
    """Note a fault that is made by CONFIG SET."""

    def make(made: Box) -> Iterator[None]:
        before = {}
        for each in on:
            with client_of(made.process(each)) as client:
                before[each] = {key: client.config_get(key)[key] for key in by_hand}
                for key, value in by_hand.items():
                    client.config_set(key, value)
        yield
        for each in on:
            with client_of(made.process(each)) as client:
                for key, value in before[each].items():
                    client.config_set(key, value)

    fault(name, *codes, sample=sample)(make)


def _sentinel_set(name: str, option: str, value: str, before: str, *codes: str) -> None:
    def make(made: Box) -> Iterator[None]:
        told(made, SENTINEL, f"SENTINEL SET orders {option} {value}")
        yield
        old = before or _password(made)
        told(made, SENTINEL, f"SENTINEL SET orders {option} {old}")

    fault(name, *codes)(make)


def _password(made: Box) -> str:
    password = made.process(MASTER).password
    assert password
    return password.reveal()


def _info(made: Box, name: str, key: str) -> str:
    with client_of(made.process(name)) as client:
        return str(client.info("everything").get(key))


def _again(made: Box, name: str) -> None:
    """Start a process that was killed, with the file that it has."""
    process, sandbox = made.process(name), made.fleet.sandbox
    assert sandbox
    kind = ["--sentinel"] if process.kind == "sentinel" else []
    subprocess.run([sandbox.server, process.paths.configuration, *kind], check=True)
    eventually(lambda: name in made.pids(), f"{name} is back")


# Saving.


@fault("a snapshot fails", "save-fails", "ends-at-write")
def _(made: Box) -> Iterator[None]:
    target = Path(made.process(REPLICA).paths.data) / "dump.rdb"
    target.unlink(missing_ok=True)
    (target / "in-the-way").mkdir(parents=True)
    told(made, REPLICA, "BGSAVE")
    eventually(lambda: _info(made, REPLICA, "rdb_last_bgsave_status") == "err", "it fails")
    yield
    shutil.rmtree(target)
    told(made, REPLICA, "BGSAVE")
    eventually(lambda: _info(made, REPLICA, "rdb_last_bgsave_status") == "ok", "it succeeds")


@fault("a rewrite of the append-only file fails", "aof-rewrite-fails")
def _(made: Box) -> Iterator[None]:
    found = aof.layout(Path(made.process(REPLICA).paths.data), "appendonly.aof", "appendonlydir")
    assert found
    folder = found.last.parent
    blocks = [folder / f"appendonly.aof.{number}.base.rdb" for number in range(2, 9)]
    blocks = [each for each in blocks if not each.exists()]
    for each in blocks:
        (each / "in-the-way").mkdir(parents=True)
    told(made, REPLICA, "BGREWRITEAOF")
    eventually(lambda: _info(made, REPLICA, "aof_last_bgrewrite_status") == "err", "it fails")
    yield
    for each in blocks:
        shutil.rmtree(each)
    told(made, REPLICA, "BGREWRITEAOF")
    eventually(lambda: _info(made, REPLICA, "aof_last_bgrewrite_status") == "ok", "it succeeds")


@fault("nothing is saved any more", "nothing-saved", "differs")
def _(made: Box) -> Iterator[None]:
    with client_of(made.process(REPLICA)) as client:
        rules = client.config_get("save")["save"]
    told(made, REPLICA, "CONFIG SET save ''", "CONFIG SET appendonly no")
    yield
    told(made, REPLICA, "CONFIG SET appendonly yes")
    with client_of(made.process(REPLICA)) as client:
        client.config_set("save", rules)
    eventually(lambda: _info(made, REPLICA, "aof_rewrite_in_progress") == "0", "its file is complete")


@fault("a full disk", "disk-full", "aof-fails")
def _(made: Box) -> Iterator[None]:
    """A disk of 3 MB below the running server: a file system in memory, mounted over its folder by root."""
    folder = Path(made.process(REPLICA).paths.data)
    _stop(made, REPLICA)
    away = folder.rename(folder.with_name("away"))
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=True)
    try:
        _again(made, REPLICA)
        # Until the file is rewritten after a full synchronisation, nothing is written to it.
        eventually(lambda: any(folder.glob("appendonlydir/*.2.incr.aof")), "it is linked, and writes its file anew")
        with contextlib.suppress(OSError), (folder / "filler").open("wb") as filler:
            while filler.write(bytes(65536)):
                filler.flush()
        with made.server(MASTER) as client:
            client.set("filler", "x" * 300000)
        eventually(lambda: _info(made, REPLICA, "aof_last_write_status") == "err", "it cannot write")
        yield
    finally:
        with made.server(MASTER) as client:
            client.delete("filler")
        _stop(made, REPLICA)
        subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()
    away.rename(folder)
    _again(made, REPLICA)


def _stop(made: Box, name: str) -> None:
    """Kill a process, if it is there: one without a disk may end by itself."""
    if pid := made.pids().get(name):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: name not in made.pids(), f"{name} is down")


@fault("the data folder is gone", "folder-gone")
def _(made: Box) -> Iterator[None]:
    folder = Path(made.process(REPLICA).paths.data)
    away = folder.rename(folder.with_name("away"))
    yield
    away.rename(folder)


# Replication.


@fault("a replica was made a master", "two-masters", sample="replication")
def _(made: Box) -> Iterator[None]:
    told(made, REPLICA, "REPLICAOF NO ONE")
    yield from _follows_again(made)


@fault("a replica follows another replica", "follows-another", sample="replication")
def _(made: Box) -> Iterator[None]:
    other = made.process(OTHER).endpoint
    told(made, REPLICA, f"REPLICAOF {other.address} {other.port}")
    yield from _follows_again(made)


@fault("a replica follows nobody that answers", "follows-another", "link-down", sample="replication")
def _(made: Box) -> Iterator[None]:
    told(made, REPLICA, "REPLICAOF {} {}".format(*NOWHERE))
    yield from _follows_again(made)


def _follows_again(made: Box) -> Iterator[None]:
    yield
    master = made.process(MASTER).endpoint
    told(made, REPLICA, f"REPLICAOF {master.address} {master.port}")


@fault("a replica has another password for its master", "link-down", "differs", sample="replication")
def _(made: Box) -> Iterator[None]:
    told(made, REPLICA, "CONFIG SET masterauth another", "CLIENT KILL TYPE master")
    eventually(lambda: _info(made, REPLICA, "master_link_status") == "down", "it has no link")
    yield
    told(made, REPLICA, f"CONFIG SET masterauth {_password(made)}")


_set("a replica takes writes", {"replica-read-only": "no"}, "differs", sample="replication")
_set(
    "no replica may be promoted", {"replica-priority": "0"},
    "no-fit-replica", "differs", on=(REPLICA, OTHER), sample="sentinel",
)  # fmt: skip
_set(
    "more replicas are wanted than there are", {"min-replicas-to-write": "5"}, "fenced", on=(MASTER,), sample="sentinel"
)
_set("a fence was left", {"min-replicas-to-write": str(FENCE)}, "fenced", "differs", on=(MASTER,), sample="replication")


# Sentinels.


@fault("a Sentinel is down", "down")
def _(made: Box) -> Iterator[None]:
    made.kill(SENTINEL)
    yield
    _again(made, SENTINEL)


_sentinel_set("another quorum", "quorum", "3", "2", "differs")
_sentinel_set("another down-after-milliseconds", "down-after-milliseconds", "90000", "2000", "differs")
_sentinel_set("another auth-pass", "auth-pass", "another", "", "differs")
_sentinel_set("a user that no server has", "auth-user", "nobody", "''", "user-missing", "differs")


@fault("a Sentinel does not watch the service", "unwatched", "differs")
def _(made: Box) -> Iterator[None]:
    yield from _watching(made)


@fault("a Sentinel watches another address", "names-another", "sentinels")
def _(made: Box) -> Iterator[None]:
    yield from _watching(made, "SENTINEL MONITOR orders {} {} 2".format(*NOWHERE))


def _watching(made: Box, *instead: str) -> Iterator[None]:
    told(made, SENTINEL, "SENTINEL REMOVE orders", *instead)
    yield
    master = made.process(MASTER).endpoint
    if instead:
        told(made, SENTINEL, "SENTINEL REMOVE orders")
    told(
        made, SENTINEL, f"SENTINEL MONITOR orders {master.address} {master.port} 2",
        f"SENTINEL SET orders auth-pass {_password(made)}", "SENTINEL SET orders down-after-milliseconds 2000",
        "SENTINEL SET orders failover-timeout 60000",
    )  # fmt: skip


@fault("a Sentinel knows a replica that is gone", "replicas-known", "replicas-known-down")
def _(made: Box) -> Iterator[None]:
    sandbox, master = made.fleet.sandbox, made.process(MASTER).endpoint
    assert sandbox
    (port,) = free_ports(1)
    words = f"--port {port} --bind 127.0.0.1 --replicaof {master.address} {master.port} --masterauth {_password(made)}"
    stray = subprocess.Popen(
        [sandbox.server, *words.split(), "--save", "", "--dir", str(made.folder)], stdout=subprocess.DEVNULL
    )
    places = [f"127.0.0.1:{port}", "s_down"]
    try:
        eventually(lambda: all(places[0] in each for each in _known(made)), "the Sentinels know it", 60)
    finally:
        stray.kill()
        stray.wait(timeout=60)
    eventually(lambda: all(f"{places[0]} slave,s_down" in each.replace("s_down,slave", "slave,s_down")
                           for each in _known(made)), "they know that it is down", 60)  # fmt: skip
    yield
    for process in made.fleet.sentinels:
        told(made, process.id, "SENTINEL RESET orders")
        eventually(lambda: made.settled("orders"), "the Sentinels are settled", 60)


def _known(made: Box) -> list[str]:
    """Return for each Sentinel its replicas of orders, place and flags."""
    found = []
    for process in made.fleet.sentinels:
        with client_of(process) as client:
            rows = client.execute_command("SENTINEL", "REPLICAS", "orders")
        found.append(" | ".join(f"{row['ip']}:{row['port']} {row['flags']}" for row in map(_row, rows)))
    return found


def _row(row: Any) -> dict[str, Any]:
    return dict(row) if isinstance(row, dict) else dict(zip(row[::2], row[1::2], strict=True))


@fault("a Sentinel user may not fail over", "user-lacks-right", "differs")
def _(made: Box) -> Iterator[None]:
    rules = f"on >{_password(made)} allchannels +@all -exec"
    for name in (MASTER, REPLICA, OTHER):
        told(made, name, f"ACL SETUSER sentinel reset {rules}")
    told(made, SENTINEL, "SENTINEL SET orders auth-user sentinel")
    yield
    told(made, SENTINEL, "SENTINEL SET orders auth-user ''")
    for name in (MASTER, REPLICA, OTHER):
        told(made, name, "ACL DELUSER sentinel")


@fault("a replica announces an address that does not answer", "announced-otherwise")
def _(made: Box) -> Iterator[None]:
    told(made, REPLICA, "CONFIG SET replica-announce-port 1")
    yield
    told(made, REPLICA, "CONFIG SET replica-announce-port 0")


# Memory and clients.

_set(
    "memory is full", {"maxmemory": "1000000", "maxmemory-policy": "noeviction"},
    "memory-full", on=(MASTER,), sample="replication",
)  # fmt: skip
_set("memory has no limit any more", {"maxmemory": "0"}, "differs", on=(MASTER,), sample="replication")
_set("what is full is thrown away", {"maxmemory-policy": "allkeys-lru"}, "differs", on=(MASTER,), sample="replication")


# Users.


@fault("the default user is off", "locked-out", sample="replication")
def _(made: Box) -> Iterator[None]:
    with _kept(made, REPLICA) as connection:
        connection.execute_command("ACL", "SETUSER", "default", "off")
        yield
        connection.execute_command("ACL", "SETUSER", "default", "on")


@fault("the default user may not do everything", "differs", sample="replication")
def _(made: Box) -> Iterator[None]:
    told(made, REPLICA, "ACL SETUSER default -debug")
    yield
    told(made, REPLICA, "ACL SETUSER default +@all")


@fault("another password", "locked-out", sample="replication")
def _(made: Box) -> Iterator[None]:
    with _kept(made, REPLICA) as connection:
        connection.execute_command("CONFIG", "SET", "requirepass", "another")
        yield
        connection.execute_command("CONFIG", "SET", "requirepass", _password(made))


@fault("a user that nobody described", "differs", sample="replication")
def _(made: Box) -> Iterator[None]:
    told(made, REPLICA, "ACL SETUSER stranger on nopass +@all")
    yield
    told(made, REPLICA, "ACL DELUSER stranger")


@contextmanager
def _kept(made: Box, name: str) -> Iterator[Any]:
    """Give a connection that stays logged in, whatever becomes of the user."""
    process: Process = made.process(name)
    password = process.password
    with redis.Redis(
        process.endpoint.address, process.endpoint.port, single_connection_client=True,
        password=password.reveal() if password else None, socket_timeout=60,
    ) as client:  # fmt: skip
        client.ping()
        yield client


# Addresses.


@fault("it does not listen on its address any more", "silent", sample="replication")
def _(made: Box) -> Iterator[None]:
    with _kept(made, REPLICA) as connection:
        connection.execute_command("CONFIG", "SET", "bind", "127.0.0.2")
        yield
        connection.execute_command("CONFIG", "SET", "bind", "127.0.0.1")


# Processes.


@fault("a server is down", "down", sample="replication")
def _(made: Box) -> Iterator[None]:
    made.kill(REPLICA)
    yield
    _again(made, REPLICA)


@fault("a server is frozen", "silent", sample="replication")
def _(made: Box) -> Iterator[None]:
    pid = made.pids()[REPLICA]
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@fault("writes are paused", "paused", sample="replication")
def _(made: Box) -> Iterator[None]:
    told(made, MASTER, "CLIENT PAUSE 6000000 WRITE")
    yield
    told(made, MASTER, "CLIENT UNPAUSE")


@fault("a file was edited", "differs", sample="replication")
def _(made: Box) -> Iterator[None]:
    path = Path(made.process(REPLICA).paths.configuration)
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\ntimeout 12\n", encoding="utf-8")
    yield
    path.write_text(text, encoding="utf-8")
