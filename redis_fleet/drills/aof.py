"""The append-only file: what each way of writing it costs and keeps, and two traps with the way out."""

from __future__ import annotations

import time

from redis_fleet.agent.host.disks import folder_facts
from redis_fleet.drills import aof_traps
from redis_fleet.drills.context import Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.lab import Lab, Server, until
from redis_fleet.drills.report import Chart, Series
from redis_fleet.drills.transcript import Notebook
from redis_fleet.drills.writers import Counting, Loss, rate

POLICIES = ("always", "everysec", "no")
_MEANINGS = {
    "always": "each write is on the disk before it is acknowledged: this holds in a power cut too",
    "everysec": "in a power cut the writes of the last second or two would be gone",
    "no": "in a power cut all that the kernel had not written yet would be gone: seconds, up to half a minute",
}
_WRITES = 500
# The server holds its writes back while the disk is busy with the last fsync, but no longer than this
# (appendfsync everysec in redis.conf; aof.c, flushAppendOnlyFile).
_HELD_BACK = 2.0
_ROUNDS, _ROUND_SECONDS = 3, 0.5


def run(place: Place, book: Notebook) -> None:
    """Show all of it, on servers of its own."""
    with place.lab() as lab:
        _crashes(lab, book)
        _costs(lab, book)
        aof_traps.both_files(lab, book)
        aof_traps.turned_on(lab, book)
        aof_traps.damaged(lab, book)


def _crashes(lab: Lab, book: Notebook) -> None:
    book.part("kill -9 under each appendfsync: the process dies, the machine lives")
    losses = {policy: _crash(lab, book, policy) for policy in POLICIES}
    rows = tuple((float(place), losses[policy].share) for place, policy in enumerate(POLICIES))
    title = "Acknowledged writes that were kept when the process was killed"
    book.chart(Chart("bars", title, "a killed process loses nothing that it had handed to the kernel; a machine without"
                     " power is another matter", (Series("kept", "%", rows),), labels=POLICIES))  # fmt: skip
    book.check(
        "so what does appendfsync decide?",
        "what a power cut costs, not what a crash of the server costs",
        ok=True,
        meaning="the kernel has the file's new end before a write is acknowledged, and a dead process takes nothing "
        "along; only when the machine itself stops does it matter whether fsync had brought it to the disk",
    )


def _crash(lab: Lab, book: Notebook, policy: str) -> Loss:
    server = lab.server(policy, 'save ""', "appendonly yes", f"appendfsync {policy}").start()
    with Counting(server, "count") as writer:
        until(lambda: writer.acknowledged >= _WRITES, f"{_WRITES} writes are acknowledged")
        crashed = time.monotonic()
        server.kill()
    server.start()
    loss = writer.loss(int(server.call("GET", "count") or 0), crashed)
    late = policy == "everysec" and loss.oldest <= _HELD_BACK
    book.check(
        f"appendfsync {policy}: write, kill -9, start, GET count",
        f"{loss.kept:,} of {loss.acknowledged:,} acknowledged writes are there"
        + (f", the oldest lost one was {loss.oldest:.1f} s old" if loss.lost else ""),
        ok=loss.lost == 0 or late,
        expected="all of them"
        + (", but for what was held back while the disk was busy" if policy == "everysec" else ""),
        meaning=_MEANINGS[policy],
        where=server.name,
    )
    book.measure(f"acknowledged writes lost by kill -9, {policy}", loss.lost, "writes", f"of {loss.acknowledged:,}")
    server.kill()
    return loss


def _costs(lab: Lab, book: Notebook) -> None:
    book.part("What each appendfsync costs")
    servers = {policy: _writing(lab, policy) for policy in POLICIES}
    best = dict.fromkeys(POLICIES, 0.0)
    for _ in range(_ROUNDS):  # in turns, so that what else the machine does meets all of them
        for policy, server in servers.items():
            with server.client() as connection:
                best[policy] = max(best[policy], rate(connection, "count", _ROUND_SECONDS))
    for server in servers.values():
        server.kill()
    medium = folder_facts(str(lab.folder), "").type
    for policy in POLICIES:
        share = best[policy] / best["no"]
        book.measure(f"writes a second, {policy}", best[policy], "a second", f"{share:.2f} times as many as with no")
    book.check(
        "one client that waits for each answer",
        ", ".join(f"{policy} {best[policy]:,.0f} a second" for policy in POLICIES),
        ok=all(best.values()),
        expected="",
        meaning=f"measured in {lab.folder.parent}, a {medium} here; always pays one fsync for each write, or for all "
        "that arrive together from many clients" + (". Memory has nothing to wait for" if medium == "tmpfs" else ""),
    )
    rows = tuple((float(place), best[policy] / best["no"]) for place, policy in enumerate(POLICIES))
    book.chart(Chart("bars", "Writes a second against appendfsync no", "one client that waits for each answer",
                     (Series("writes a second", "times", rows),), labels=POLICIES))  # fmt: skip


def _writing(lab: Lab, policy: str) -> Server:
    return lab.server(f"cost-{policy}", 'save ""', "appendonly yes", f"appendfsync {policy}").start()


DRILL = Drill(
    "aof",
    "The append-only file (AOF)",
    "what a killed server keeps under each appendfsync, and its price; AOF before RDB; two traps and the ways out",
    run,
    "lab",
)
