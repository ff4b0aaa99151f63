"""The honest part about locks: a master that dies while one is held, what helps, and what a fencing token changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis_fleet.agent.protocol.resp import ReplyError, pairs
from redis_fleet.drills.application_access import Entrance, client_of
from redis_fleet.drills.context import Deployment
from redis_fleet.drills.expect import error
from redis_fleet.drills.lab import Lab, Server, until
from redis_fleet.drills.master_moves import failed_over
from redis_fleet.drills.proxy import Wire
from redis_fleet.drills.report import Chart, Series
from redis_fleet.drills.transcript import Notebook

if TYPE_CHECKING:
    import redis
    from redis.lock import Lock

# The resource itself checks the number: it takes none that is smaller than the greatest it has seen.
FENCE = (
    'if tonumber(ARGV[1]) < tonumber(redis.call("GET", KEYS[1]) or 0) then return 0 end '
    'redis.call("SET", KEYS[1], ARGV[1]) redis.call("SET", KEYS[2], ARGV[2]) return 1'
)
_LEASE = 60_000
_HELD = 120
_SHORT = 200
_WAIT = 300
# A replica tells its master once a second how far it is; 1 would refuse writes of a sound pair now and then.
_MAX_LAG = 2
_SET = ("SET", "lock")
_TAKE = ("NX", "PX", _LEASE)


def on_own_servers(lab: Lab, book: Notebook) -> None:
    """Break a pair of servers in each way."""
    storage = lab.server("storage", 'save ""').start()
    _expired_holder(lab, book, storage)
    _lost(lab, book, storage)
    _confirmed(lab, book)
    refused = _refused(lab, book)
    storage.kill()
    book.measure(
        f"lock still granted by a cut-off master, min-replicas-max-lag {_MAX_LAG}", refused, "s",
        "each lock taken in that time is lost when another server is promoted"
    )  # fmt: skip
    title = "How long a master that is cut off goes on granting locks"
    said = "with nothing it does so until it dies or the network heals; with WAIT nobody trusts a lock it grants"
    rows = ((0.0, refused), (1.0, 0.0))
    labels = (f"min-replicas-to-write 1, max-lag {_MAX_LAG}", "WAIT, reply checked")
    book.chart(Chart("bars", title, said, (Series("seconds", "s", rows),), labels=labels))


def _expired_holder(lab: Lab, book: Notebook, storage: Server) -> None:
    book.part("A fencing token: what stops a holder who does not know that its time is over")
    server = lab.server("locks", 'save ""').start()
    book.do(server, *_SET, "A", "NX", "PX", _SHORT, expect="OK", meaning="A has it, and stops in the middle: a long "
            "garbage collection, a suspended machine")  # fmt: skip
    book.do(server, "INCR", "token", expect=1, meaning="with the lock A drew a number that only ever grows")
    until(lambda: server.call("GET", "lock") is None, "the lock expires")
    book.do(server, *_SET, "B", *_TAKE, expect="OK", meaning="it expired: B has it")
    book.do(server, "INCR", "token", expect=2)
    book.do(storage, "SET", "plain", "from B", expect="OK", meaning="B writes to the data that the lock protects")
    book.do(storage, "SET", "plain", "from A", expect="OK", meaning="A wakes up and writes too: B's work is gone")
    _write(book, storage, 2, "B", 1, "the same with a resource that looks at the number: B shows 2")
    _write(book, storage, 1, "A", 0, "A shows 1, less than what the resource has seen: refused")
    book.do(storage, "GET", "data", expect="from B", meaning="the lock could not protect it, the number did")
    storage.call("FLUSHALL")
    server.kill()


def _lost(lab: Lab, book: Notebook, storage: Server) -> None:
    book.part("A failover while a lock is held, with nothing against it")
    with _pair(lab, "bare") as (master, replica, wire):
        wire.silence()
        _cut(book, master)
        book.do(master, *_SET, "A", *_TAKE, expect="OK", meaning="acknowledged by the master, on no replica")
        book.do(master, "INCR", "token", expect=1)
        _promote(book, master, replica)
        book.do(replica, *_SET, "B", *_TAKE, expect="OK", meaning="B gets what A holds: two owners, and neither knows. "
                "Replication does not wait, so no lock on one master can promise more")  # fmt: skip
        book.do(replica, "INCR", "token", expect=1, meaning="the number was lost with the lock: 1 is given out again")
        _write(book, storage, 1, "A", 1, "A shows 1")
        _write(book, storage, 1, "B", 1, "B shows 1 as well: a number from the server that forgot cannot tell them "
               "apart. Confirm it with WAIT, or draw it from the resource itself")  # fmt: skip


def _confirmed(lab: Lab, book: Notebook) -> None:
    book.part("The same with WAIT: a lock counts only when a replica has it")
    with _pair(lab, "waiting") as (master, replica, _):
        book.do(master, *_SET, "A", *_TAKE, expect="OK")
        book.do(master, "INCR", "token", expect=1)
        book.do(master, "WAIT", 1, 5000, expect=1, meaning="one replica has all that this connection wrote")
        _promote(book, master, replica)
        book.do(replica, *_SET, "B", *_TAKE, expect=None, meaning="the lock came along: B does not get it")
        book.do(replica, "INCR", "token", expect=2, meaning="and the numbers go on growing")
    with _pair(lab, "unheard") as (master, replica, wire):
        wire.silence()
        _cut(book, master)
        book.do(master, *_SET, "A", *_TAKE, expect="OK")
        book.do(master, "WAIT", 1, _WAIT, expect=0, meaning=f"after {_WAIT} ms nobody has it: A must not begin, and "
                "gives it back. WAIT takes nothing back itself")  # fmt: skip


def _refused(lab: Lab, book: Notebook) -> float:
    book.part("The same with min-replicas-to-write: a master that is alone grants no locks")
    lines = ("min-replicas-to-write 1", f"min-replicas-max-lag {_MAX_LAG}")
    with _pair(lab, "careful", *lines) as (master, _, wire):
        until(lambda: _grants(master, "sound"), "the replica counts as good")
        wire.silence()
        began = time.monotonic()
        _cut(book, master)
        book.do(master, *_SET, "A", *_TAKE, expect="OK", meaning="still granted: the replica was heard a moment ago. "
                "This lock is lost in a failover, as without the setting")  # fmt: skip
        until(lambda: not _grants(master, "late"), "the master notices that it is alone")
        seconds = time.monotonic() - began
        meaning = f"{seconds:.1f} s later: no more locks from a master that nobody follows. The setting bounds the time"
        book.do(master, "SET", "other", "A", *_TAKE, expect=error("NOREPLICAS"), meaning=meaning)
    return seconds


def on_the_deployment(deployment: Deployment, entrance: Entrance, book: Notebook, key: str) -> None:
    """Fail over the deployment itself while redis-py holds a lock; left out where that would disturb."""
    book.part("A failover of the deployment while redis-py holds a lock")
    replicas = len(deployment.replicas())
    _guarded(deployment, book)
    with client_of(entrance) as one, client_of(entrance) as other:
        mine = one.lock(key, timeout=_HELD)
        mine.acquire()
        confirmed = int(one.execute_command("WAIT", replicas, 5000))
        book.check(
            f"A: lock(name, timeout={_HELD}).acquire(), then WAIT {replicas} 5000",
            confirmed,
            ok=confirmed == replicas,
            expected=str(replicas),
            meaning="replicas that have the lock: all of them, so whichever is promoted has it",
            where="redis-py",
        )
        report = failed_over(deployment, book)
        if report:
            until(lambda: _answers(one) and _answers(other), "redis-py finds the new master")
            _kept(mine, other.lock(key, timeout=_HELD), report["write_gap_ms"] or 0, book)
        mine.release()


def _kept(mine: Lock, theirs: Lock, gap: int, book: Notebook) -> None:
    """Note whether a lock that was confirmed before a failover is there after it."""
    kept, taken = mine.owned(), theirs.acquire(blocking=False)
    book.check(
        "A: owned(); B: acquire(blocking=False)",
        f"{kept}; {taken}",
        ok=kept and not taken,
        expected="True; False",
        meaning="the new master knows A's lock, for it was confirmed. One that is taken in the very moment of the "
        "crash may be gone",
        where="redis-py",
    )
    book.measure(
        "no lock could be taken, extended or released for",
        gap,
        "ms",
        "during the failover: a lock's timeout must be longer than this and the work together. Every client's "
        "connection was cut; its next command fails, and it has to try again",
    )


def _guarded(deployment: Deployment, book: Notebook) -> None:
    """Note what the deployment itself does about masters that are alone."""
    master = deployment.master()
    enough = int(pairs(master.call("CONFIG", "GET", "min-replicas-to-write"))["min-replicas-to-write"])
    meaning = (
        f"a master without {enough} replicas grants no locks" if enough else "a master that is alone goes on granting"
    )
    book.do(master, "CONFIG", "GET", "min-replicas-to-write", meaning=meaning)


def _answers(client: redis.Redis) -> bool:
    """Whether a client reaches a master; the first try after a failover only finds that its connection is gone."""
    from redis import RedisError  # noqa: PLC0415  (an optional package)

    try:
        return bool(client.ping())
    except RedisError:
        return False


@contextmanager
def _pair(lab: Lab, name: str, *lines: str) -> Iterator[tuple[Server, Server, Wire]]:
    """Give a master, a replica that hears it through a wire, and the wire."""
    master = lab.server(f"{name}-master", 'save ""', *lines).start()
    with Wire(master.port) as wire:
        replica = lab.server(f"{name}-replica", 'save ""', f"replicaof 127.0.0.1 {wire.port}").start()
        until(lambda: "connected" in replica.call("ROLE"), "the replica is linked")
        until(lambda: _heard(master), "the master hears its replica")
        try:
            yield master, replica, wire
        finally:
            master.kill()
            replica.kill()


def _heard(master: Server) -> bool:
    return bool(master.call("WAIT", 1, 100))


def _grants(master: Server, name: str) -> bool:
    try:
        return bool(master.call("SET", name, "A", "PX", 1) == "OK")
    except ReplyError as refusal:
        if not str(refusal).startswith("NOREPLICAS"):
            raise
        return False


def _cut(book: Notebook, master: Server) -> None:
    book.check("cut the network to its replica", "silent: connections stay, nothing passes", ok=True, where=master.name)


def _promote(book: Notebook, master: Server, replica: Server) -> None:
    master.kill()
    book.check("kill -9", "gone", ok=not master.alive, where=master.name)
    book.do(replica, "REPLICAOF", "NO", "ONE", expect="OK", meaning="what a Sentinel sends to the one it promotes")


def _write(book: Notebook, storage: Server, number: int, who: str, expected: int, meaning: str) -> None:
    book.do(storage, "EVAL", FENCE, 2, "greatest", "data", number, f"from {who}", expect=expected, meaning=meaning)
