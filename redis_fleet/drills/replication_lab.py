"""Replication on servers of our own: how one becomes a replica, how it catches up, and what to do without a master."""

from __future__ import annotations

from dataclasses import dataclass

from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.drills.expect import error, members, that
from redis_fleet.drills.lab import Lab, Server, until
from redis_fleet.drills.transcript import Notebook

_HOST = "127.0.0.1"
_READONLY = error("READONLY")
_SAVED = "save 3600 1"
_BACKLOG, _LETTERS, _WRITES = 16384, 20_000, 20


def show(lab: Lab, book: Notebook) -> None:
    """Show all of it."""
    _ways(lab, book)
    _catching_up(lab, book)
    _by_hand(lab, book)


def _role(name: str) -> object:
    return that(f"{name} …", lambda reply: reply[0] == name)


def linked(replica: Server, master: Server) -> bool:
    """Whether a server follows another one and has all that it was sent at first."""
    try:
        role = replica.call("ROLE")
    except (OSError, ReplyError):
        return False
    return bool(role[0] == "slave" and role[2] == master.port and role[3] == "connected")


def await_link(replica: Server, master: Server) -> None:
    """Wait until a server is a replica of another one; raises LabError."""
    until(lambda: linked(replica, master), f"{replica.name} is a linked replica of {master.name}")


def caught_up(master: Server, replicas: int) -> None:
    """Wait until that many replicas have everything; raises LabError."""
    until(lambda: int(master.call("WAIT", replicas, 1000)) >= replicas, f"{replicas} replicas have every write")


def _ways(lab: Lab, book: Notebook) -> None:
    book.part("Three ways to make a server a replica")
    master = lab.server("master", 'save ""').start()
    book.do(master, "SADD", "myset", "peiqi", "danni", expect=2)
    book.do(master, "RPUSH", "mylist", 2, 3, 5, expect=3)
    for option in ("--slaveof", "--replicaof"):
        _by_option(lab, book, master, option)
    _at_run_time(lab, book, master)
    _by_file(lab, book, master)


def _by_option(lab: Lab, book: Notebook, master: Server, option: str) -> None:
    replica = lab.server(f"started{option}", 'save ""', arguments=(option, _HOST, str(master.port))).start()
    await_link(replica, master)
    book.check(
        f"redis-server --port {replica.port} {option} {_HOST} {master.port}",
        "a replica of master, the link is up",
        ok=True,
        meaning="a start option" if option == "--slaveof" else "the same option by its name since Redis 5.0",
    )
    book.do(replica, "KEYS", "*", expect=members(["myset", "mylist"]), meaning="what the master has")
    book.do(replica, "SET", "mykey", 123, expect=_READONLY, meaning="a replica takes no writes")
    replica.kill()


def _at_run_time(lab: Lab, book: Notebook, master: Server) -> None:
    server = lab.server("at-run-time", 'save ""').start()
    book.do(server, "SET", "mykey", 123, expect="OK", meaning="it is a master of its own so far")
    book.do(server, "SLAVEOF", _HOST, master.port, expect="OK", meaning="REPLICAOF is the same since Redis 5.0")
    await_link(server, master)
    book.do(server, "KEYS", "*", expect=members(["myset", "mylist"]), meaning="mykey is gone: the master's data only")
    book.do(server, "SET", "newkey", 456, expect=_READONLY)
    book.do(server, "SLAVEOF", "NO", "ONE", expect="OK")
    book.do(server, "SET", "name", "hello", expect="OK", meaning="a master again, with the data that it has")
    book.do(server, "KEYS", "*", expect=members(["myset", "mylist", "name"]))
    book.do(server, "SLAVEOF", _HOST, master.port, expect="OK")
    _restart(server)
    book.do(server, "ROLE", expect=_role("master"), meaning="after a restart: SLAVEOF alone is written down nowhere")
    book.do(server, "SLAVEOF", _HOST, master.port, expect="OK")
    book.do(server, "CONFIG", "REWRITE", expect="OK", meaning="now it stands in the configuration file")
    _restart(server)
    book.do(server, "ROLE", expect=_role("slave"), meaning="after another restart")
    server.kill()


def _restart(server: Server) -> None:
    server.stop()
    server.start(write=False)


def _by_file(lab: Lab, book: Notebook, master: Server) -> None:
    replica = lab.server("by-file", f"slaveof {_HOST} {master.port}", 'save ""').start()
    await_link(replica, master)
    book.check(f"slaveof {_HOST} {master.port}   in its configuration file", "a replica, the link is up", ok=True)
    book.do(replica, "HSET", "user:1", "username", "guods", expect=_READONLY)
    replica.kill()
    slip = lab.server("mistyped", f"salveof {_HOST} {master.port}")
    slip.begin()
    code = slip.ended()
    told = "salveof" in slip.log
    book.check(
        f"salveof {_HOST} {master.port}   in its configuration file",
        f"exit code {code}, its log {'names' if told else 'does not name'} the line",
        ok=code != 0 and told,
        expected="it does not start and names the line",
        meaning="a slip that one meets; 'redis-fleet check' finds it before anything is stopped",
    )


@dataclass(frozen=True)
class Syncs:
    """How often a master sent everything, and how often only what was missing."""

    full: int
    partial: int


def _syncs(master: Server) -> Syncs:
    stats = master.info("stats")
    return Syncs(int(stats["sync_full"]), int(stats["sync_partial_ok"]))


def _catching_up(lab: Lab, book: Notebook) -> None:
    book.part("A replica that lost its link: the missing part, or everything from the beginning")
    master = lab.server("source", _SAVED).start()
    replica = lab.server("copy", _SAVED, f"replicaof {_HOST} {master.port}").start()
    await_link(replica, master)
    before = _syncs(master)
    _cut(book, master, [("SET", "during", "the cut")])
    _resumed(book, master, replica, "during", Syncs(before.full, before.partial + 1))
    _restarted(book, master, replica)
    kept = ("CONFIG", "SET", "repl-backlog-size", _BACKLOG)
    book.do(master, *kept, expect="OK", meaning="how many bytes of writes a master keeps for those that come back")
    before = _syncs(master)
    _cut(book, master, [("SET", f"large:{number}", "x" * _LETTERS) for number in range(_WRITES)])
    _resumed(book, master, replica, f"large:{_WRITES - 1}", Syncs(before.full + 1, before.partial))
    for server in (replica, master):
        server.kill()


def _cut(book: Notebook, master: Server, writes: list[tuple[object, ...]]) -> None:
    """Cut the link and write in one transaction, so that no replica can be back before the writes."""
    with master.client() as client:
        client.call("MULTI")
        for words in [("CLIENT", "KILL", "TYPE", "replica"), *writes]:
            client.call(*words)
        replies = client.call("EXEC")
    size = sum(len(str(word)) for words in writes for word in words)
    book.check(
        f"CLIENT KILL TYPE replica, and {size:,} bytes of writes before it is back",
        f"{replies[0]} link cut, {len(replies) - 1} writes",
        ok=replies[0] == 1,
        expected="1 link cut",
        where=master.name,
    )


def _restarted(book: Notebook, master: Server, replica: Server) -> None:
    caught_up(master, 1)
    before = _syncs(master)
    replica.stop()
    book.do(
        master, "SET", "while", "it was down", expect="OK", meaning="the replica was stopped before, and is started"
    )
    replica.start(write=False)
    _resumed(book, master, replica, "while", Syncs(before.full, before.partial + 1))


def _resumed(book: Notebook, master: Server, replica: Server, key: str, expected: Syncs) -> None:
    """Wait until the replica has a key, and note how it came by it."""

    def there() -> bool:
        try:
            return bool(replica.call("EXISTS", key))
        except (OSError, ReplyError):
            return False

    until(there, f"{replica.name} has {key}")
    await_link(replica, master)
    seen = _syncs(master)
    meanings = {
        False: "the link was there again, and only what was missing was sent: the master keeps it for a while",
        True: "it had missed more than is kept: everything was sent again. repl-backlog-size must hold the writes of"
        " the longest pause that you expect",
    }
    book.check(
        "INFO stats",
        f"sync_full {seen.full}, sync_partial_ok {seen.partial}",
        ok=seen == expected,
        expected=f"sync_full {expected.full}, sync_partial_ok {expected.partial}",
        meaning=meanings[seen.full == expected.full and expected.full > 1],
        where=master.name,
    )


def _by_hand(lab: Lab, book: Notebook) -> None:
    book.part("The master died: one of the replicas is promoted by hand, the others follow it")
    old, new, other = (lab.server(name, 'save ""').start() for name in ("6379", "6400", "6401"))
    for replica in (new, other):
        book.do(replica, "SLAVEOF", _HOST, old.port, expect="OK")
        await_link(replica, old)
    book.do(old, "SET", "before", "the death", expect="OK")
    caught_up(old, 2)
    old.kill()
    until(lambda: not _up(new) and not _up(other), "both replicas noticed")
    book.do(new, "GET", "before", expect="the death", meaning="6379 was killed: reading goes on")
    book.do(new, "SET", "after", "the death", expect=_READONLY, meaning="but nobody takes writes")
    offsets = {server.name: int(server.info("replication")["slave_repl_offset"]) for server in (new, other)}
    book.check(
        "INFO replication of both",
        ", ".join(f"{name} got {offset} bytes" for name, offset in offsets.items()),
        ok=offsets[new.name] >= offsets[other.name],
        expected="6400 got no less than 6401",
        meaning="promote the one that got most: what only another one has is lost",
    )
    _confused(book, new, other)
    book.do(new, "SLAVEOF", "NO", "ONE", expect="OK", meaning="the right one: 6400 is the master")
    await_link(other, new)
    book.do(new, "SET", "after", "the death", expect="OK")
    caught_up(new, 1)
    book.do(other, "GET", "after", expect="the death", meaning="6401 follows 6400")
    _returned(book, old, new)
    for server in (old, new, other):
        server.kill()


def _up(replica: Server) -> bool:
    return replica.info("replication").get("master_link_status") == "up"


def _confused(book: Notebook, new: Server, other: Server) -> None:
    """Show the slip of a runbook that sends both orders to the same server."""
    book.do(
        other, "SLAVEOF", "NO", "ONE", expect="OK", meaning="a slip that one meets: the order for 6400 sent to 6401"
    )
    book.do(other, "SLAVEOF", _HOST, new.port, expect="OK", meaning="and then 6401 told to follow 6400")
    book.do(
        new, "SET", "after", "the slip", expect=_READONLY, meaning="6400 still follows the dead one: no master at all"
    )


def _returned(book: Notebook, old: Server, new: Server) -> None:
    old.start(write=False)
    book.do(old, "ROLE", expect=_role("master"), meaning="6379 is started again: it knows of nothing, two masters now")
    book.do(old, "SET", "lost", "soon", expect="OK", meaning="who still writes to it")
    book.do(old, "SLAVEOF", _HOST, new.port, expect="OK")
    await_link(old, new)
    book.do(old, "GET", "lost", expect=None, meaning="is not told that the write is gone")
    book.do(old, "GET", "after", expect="the death", meaning="the data of the new master. All this by hand, at night:"
            " Sentinels do it alone ('drill sentinel'), a planned change is 'redis-fleet switchover'")  # fmt: skip
