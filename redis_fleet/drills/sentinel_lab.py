"""Sentinels on servers of our own: one that decides alone, three with a majority, and what a minority may not do."""

from __future__ import annotations

import difflib
import re
import time
from dataclasses import dataclass

from redis_fleet.agent.protocol.resp import ReplyError, pairs
from redis_fleet.drills.expect import Expectation, error, that
from redis_fleet.drills.lab import Lab, Server, until
from redis_fleet.drills.replication_lab import await_link, caught_up, linked
from redis_fleet.drills.transcript import Notebook

_HOST = "127.0.0.1"
# Less makes a Sentinel now and then fail over twice: https://github.com/redis/redis/issues/8607
DOWN_AFTER_MS, TIMEOUT_MS = 2000, 6000
_PATIENCE = 60.0
# A Sentinel leads a failover only with the votes of most; how long it collects them is failover-timeout, 10 s at most.
_MINORITY = 3
_STATE = re.compile(r"^(sentinel |replicaof |slaveof )")


@dataclass
class Group:
    """A service of the lab: its name, and its servers, of which the first is the master at the beginning."""

    name: str
    servers: list[Server]

    @property
    def first(self) -> Server:
        """The master at the beginning."""
        return self.servers[0]

    def others(self, server: Server) -> list[Server]:
        """Return all servers but one."""
        return [each for each in self.servers if each is not server]

    def at(self, port: int) -> Server:
        """Return the server of a port."""
        return next(server for server in self.servers if server.port == port)


def show(lab: Lab, book: Notebook) -> None:
    """Show all of it."""
    one(lab, book)
    three(lab, book)


def one(lab: Lab, book: Notebook) -> None:
    """One Sentinel decides alone."""
    book.part("One Sentinel with a quorum of 1")
    group = _group(lab, "tedu", ("6379", "6380", "6381"))
    sentinel = lab.server("26379", *_watching(group, 1), sentinel=True)
    book.check(
        f"Sentinel monitor {group.name} {_HOST} {group.first.port} 1   in sentinel.conf",
        "redis-server sentinel.conf --sentinel, the same program as redis-sentinel",
        ok=True,
        meaning=f"1 Sentinel is enough to hold the master for down, after {DOWN_AFTER_MS} ms (30 s if nothing is said)",
    )
    sentinel.start()
    _knows(sentinel, group, 0)
    book.do(sentinel, "SENTINEL", "CKQUORUM", group.name, expect=_ready(1))
    new = _survives(book, group, [sentinel])
    _returns(book, group, [sentinel], new)
    for server in (sentinel, *group.servers):
        server.kill()


def three(lab: Lab, book: Notebook) -> None:
    """Three Sentinels watch two services; then two of them are dead."""
    book.part("Three Sentinels with a quorum of 2, for two services")
    group, shop = _group(lab, "tedu", ("6379", "6380", "6381")), _group(lab, "shop", ("6479", "6480"))
    lines = [*_watching(group, 2), *_watching(shop, 2)]
    sentinels = [lab.server(name, *lines, sentinel=True).start() for name in ("26379", "26380", "26381")]
    for sentinel in sentinels:
        _knows(sentinel, group, 2)
        _knows(sentinel, shop, 2)
    for sentinel in sentinels:
        book.do(sentinel, "SENTINEL", "CKQUORUM", group.name, expect=_ready(3))
    masters = [pairs(row) for row in sentinels[0].call("SENTINEL", "MASTERS")]
    book.check(
        "SENTINEL MASTERS",
        ", ".join(f"{row['name']}: {row['num-slaves']} replicas" for row in masters),
        ok=sorted(row["name"] for row in masters) == ["shop", "tedu"],
        expected="tedu and shop",
        meaning="the same Sentinels watch as many services as you have; add one with SENTINEL MONITOR",
        where=sentinels[0].name,
    )
    began = time.monotonic()
    new = _survives(book, group, sentinels)
    usual = time.monotonic() - began
    book.do(
        sentinels[0],
        *("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop"),
        expect=[_HOST, str(shop.first.port)],
        meaning="the other service kept its master",
    )
    _returns(book, group, sentinels, new)
    _minority(book, group, sentinels, new, usual)
    for server in (*sentinels, *group.servers, *shop.servers):
        server.kill()


def _group(lab: Lab, name: str, ports: tuple[str, ...]) -> Group:
    servers = [lab.server(f"{name}-{port}", 'save ""').start() for port in ports]
    for replica in servers[1:]:
        replica.call("SLAVEOF", _HOST, servers[0].port)
    # A Sentinel reads the list of replicas every 10 s: they must be in it when it looks first.
    for replica in servers[1:]:
        await_link(replica, servers[0])
    return Group(name, servers)


def _watching(group: Group, quorum: int) -> list[str]:
    return [
        f"Sentinel monitor {group.name} {_HOST} {group.first.port} {quorum}",
        f"sentinel down-after-milliseconds {group.name} {DOWN_AFTER_MS}",
        f"sentinel failover-timeout {group.name} {TIMEOUT_MS}",
    ]


def _ready(count: int) -> Expectation:
    return that(f"OK {count} usable Sentinels …", lambda reply: str(reply).startswith(f"OK {count} usable"))


def facts(sentinel: Server, group: Group) -> dict[str, str]:
    """Return what a Sentinel says of a service; nothing when it does not answer."""
    try:
        return pairs(sentinel.call("SENTINEL", "MASTER", group.name))
    except (OSError, ReplyError):
        return {}


def _knows(sentinel: Server, group: Group, sentinels: int) -> None:
    """Wait until a Sentinel knows all replicas and Sentinels of a service."""
    wanted = {"num-slaves": str(len(group.servers) - 1), "num-other-sentinels": str(sentinels), "flags": "master"}
    until(lambda: wanted.items() <= facts(sentinel, group).items(), f"{sentinel.name} knows all of {group.name}")


def _survives(book: Notebook, group: Group, sentinels: list[Server]) -> Server:
    """Kill the first master, note what follows, and return the server that was promoted."""
    before = _texts([*sentinels, *group.servers])
    book.do(group.first, "SET", "kept", "yes", expect="OK")
    caught_up(group.first, len(group.servers) - 1)
    began = time.monotonic()
    group.first.kill()
    new = _promoted(group, sentinels, group.first)
    took = time.monotonic() - began
    book.check(
        f"kill -9 of {group.first.name}, the master",
        f"{new.name} is the master after {took:.1f} s",
        ok=True,
        meaning="all Sentinels name it: clients that ask a Sentinel find it by themselves",
    )
    book.measure(f"failover of {group.name}, {len(sentinels)} Sentinel(s)", took, "s",
                 f"of which {DOWN_AFTER_MS / 1000:g} s are down-after-milliseconds")  # fmt: skip
    other = group.others(group.first)[0] if group.others(group.first)[0] is not new else group.others(group.first)[1]
    book.do(new, "GET", "kept", expect="yes", meaning="what was written before is there")
    book.do(new, "SET", "name", "tedu", expect="OK", meaning="and it takes writes")
    await_link(other, new)
    caught_up(new, 1)
    book.do(other, "GET", "name", expect="tedu", meaning="the other replica was told to follow the new master")
    book.do(other, "SET", "name", "other", expect=error("READONLY"))
    _shown_files(book, before, [sentinels[0], other])
    return new


def _promoted(group: Group, sentinels: list[Server], old: Server) -> Server:
    """Wait until all Sentinels name the same new master, which says so itself, and return it."""

    def named() -> set[str]:
        return {facts(sentinel, group).get("port", "") for sentinel in sentinels}

    def done() -> bool:
        ports = named()
        return len(ports) == 1 and ports.isdisjoint({"", str(old.port)}) and _is_master(group.at(int(*ports)))

    until(done, "the Sentinels promoted a replica", _PATIENCE)
    # The one that leads is done only when the other replicas follow.
    until(lambda: all("failover" not in facts(each, group)["flags"] for each in sentinels), "it ended", _PATIENCE)
    return group.at(int(*named()))


def _is_master(server: Server) -> bool:
    try:
        return bool(server.call("ROLE")[0] == "master")
    except (OSError, ReplyError):
        return False


def _returns(book: Notebook, group: Group, sentinels: list[Server], new: Server) -> None:
    old = group.first
    before = _texts([old])
    old.start(write=False)
    book.do(old, "SET", "name", "old", expect="OK", meaning="the old master is started again and takes writes at first")
    until(lambda: linked(old, new), f"{old.name} is a replica of {new.name}", _PATIENCE)
    book.do(old, "ROLE", expect=that("slave …", lambda reply: reply[0] == "slave" and reply[2] == new.port),
            meaning="until a Sentinel makes it a replica of the new master, some 10 s later")  # fmt: skip
    book.do(old, "GET", "name", expect="tedu", meaning="the write that it took meanwhile is gone: a deployment of"
            " redis-fleet starts a lost master as a replica at once")  # fmt: skip
    _shown_files(book, before, [old])
    for sentinel in sentinels:
        _knows(sentinel, group, len(sentinels) - 1)


def _texts(servers: list[Server]) -> dict[str, str]:
    return {server.name: server.file.read_text() for server in servers}


def _shown_files(book: Notebook, before: dict[str, str], servers: list[Server]) -> None:
    """Show what was written into files since; a CONFIG REWRITE moves other lines too, which say nothing here."""
    for server in servers:
        lines = _rewritten(before[server.name], server)
        book.check(
            f"diff of {server.file.name}",
            "\n    ".join(lines),
            ok=True,
            meaning="Sentinel keeps what it knows in its own file: never overwrite it with an old one"
            if server.sentinel
            else "Sentinel let the server write whom it follows: this line, not yours, is true after a restart",
            where=server.name,
        )


def _rewritten(before: str, server: Server) -> list[str]:
    until(lambda: bool(_changes(before, server.file.read_text())), f"{server.name} writes its file")
    return _changes(before, server.file.read_text())


def _changes(before: str, after: str) -> list[str]:
    """Return the lines about roles that are new or gone, with + or - in front."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in list(lines)[2:] if line[0] in "+-" and _STATE.match(line[1:])]


def _minority(book: Notebook, group: Group, sentinels: list[Server], master: Server, usual: float) -> None:
    book.part("Two of the three Sentinels are dead, and then the master dies")
    left, *dead = sentinels
    for sentinel in dead:
        sentinel.kill()
    master.kill()
    until(lambda: "s_down" in facts(left, group)["flags"], "it finds the master down", _PATIENCE)
    until(lambda: _refusal(left, group) != "", "it finds the other Sentinels down", _PATIENCE)
    book.do(left, "SENTINEL", "CKQUORUM", group.name, expect=error("NOQUORUM"))
    wait = max(_MINORITY * DOWN_AFTER_MS / 1000, usual)
    deadline = time.monotonic() + wait
    until(lambda: time.monotonic() > deadline, "the time is over", wait + 5)
    _unmoved(
        book, left, group, master, f"{wait:.1f} s later", "one of the quorum of 2 finds it down: that is not enough"
    )
    book.do(left, "SENTINEL", "SET", group.name, "quorum", 1, expect="OK", meaning="is it the quorum, then?")
    until(lambda: "-failover-abort-not-elected" in left.log, "its attempt ends", _PATIENCE)
    _unmoved(book, left, group, master, "after '-failover-abort-not-elected' in its log",
             "the quorum only decides that the master is down. Who replaces it needs the votes of most of all known"
             " Sentinels, 2 of 3, so that two halves of a network never promote two")  # fmt: skip
    dead[0].start(write=False)
    new = _promoted(group, [left, dead[0]], master)
    book.check(
        f"{dead[0].name} is started again",
        f"{new.name} is the master",
        ok=new is not master,
        expected="a replica is promoted",
        meaning="two of three again: with 3 Sentinels on 3 machines one may be lost, not two",
    )


def _refusal(sentinel: Server, group: Group) -> str:
    try:
        sentinel.call("SENTINEL", "CKQUORUM", group.name)
    except ReplyError as error:
        return str(error)
    return ""


def _unmoved(book: Notebook, left: Server, group: Group, master: Server, when: str, meaning: str) -> None:
    seen = facts(left, group)
    roles = {server.name: server.call("ROLE")[0] for server in group.others(master)}
    book.check(
        f"SENTINEL MASTER {group.name}, {when}",
        f"flags {seen['flags']}; " + ", ".join(f"{name}: {role}" for name, role in roles.items()),
        ok=seen["port"] == str(master.port) and set(roles.values()) == {"slave"},
        expected="no failover: nobody was promoted",
        meaning=meaning,
        where=left.name,
    )
