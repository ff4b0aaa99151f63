"""Snapshots: who waits while one is written, when one is written by itself, and what a restart brings back."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis_fleet.drills.context import Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.expect import one_of
from redis_fleet.drills.lab import Lab, Server, until
from redis_fleet.drills.latency import SecondClient, Span
from redis_fleet.drills.transcript import Notebook
from redis_fleet.drills.writers import fill

# Some 40 MB in memory, which take a few tenths of a second to write.
_KEYS, _LENGTH = 300_000, 64
_STARTED = ("Background saving started",)
_CALM = 0.3
_RULE_SECONDS = 10.0
# A rule of N seconds counts whole ones on the clock, so it triggers between N and N + 1 seconds after the last save.
_LATER = 3.3


def run(place: Place, book: Notebook) -> None:
    """Show all of it, on servers of its own."""
    with place.lab() as lab:
        _blocking(lab, book)
        _rules(lab, book)
        _restored(lab, book)
        _never(lab, book)


def _blocking(lab: Lab, book: Notebook) -> None:
    book.part("SAVE keeps everybody waiting, BGSAVE does not")
    server = lab.server("master", 'save ""').start()
    with server.client() as connection:
        fill(connection, _KEYS, _LENGTH)
    book.do(server, "DBSIZE", expect=_KEYS, meaning="enough that writing them takes time one can see")
    with SecondClient(server, "key:1") as client:
        _breathe(client)
        saved = _spanned(client, "SAVE", lambda: book.do(server, "SAVE", expect="OK"))
        _breathe(client)
        forked = _spanned(client, "BGSAVE", lambda: _bgsave(server, book))
        _breathe(client)
    worst, meanwhile = client.longest(saved), client.longest(forked)
    book.check(
        "longest wait of a second client during SAVE",
        f"{worst * 1000:.0f} ms of {saved.seconds * 1000:.0f} ms",
        ok=worst >= saved.seconds / 2,
        expected="about as long as SAVE took",
        meaning="nobody is served while SAVE writes; with ten times the data ten times as long. Never use it by hand",
    )
    book.check(
        "longest wait of a second client during BGSAVE",
        f"{meanwhile * 1000:.1f} ms of {forked.seconds * 1000:.0f} ms, {client.answered(forked)} answers",
        ok=meanwhile < forked.seconds / 2 and client.answered(forked) >= 3,
        expected="much shorter than BGSAVE took",
        meaning="a child process writes; clients notice the fork, and that the child needs a processor",
    )
    book.measure("SAVE", saved.seconds * 1000, "ms", f"for {_KEYS:,} keys")
    book.measure("longest wait during SAVE", worst * 1000, "ms")
    book.measure("BGSAVE", forked.seconds * 1000, "ms", "until its child had written everything")
    book.measure("longest wait during BGSAVE", meanwhile * 1000, "ms")
    book.measure("BGSAVE against SAVE", forked.seconds / saved.seconds, "times as long", "the price of the child")
    book.chart(client.chart("What a second client waits for while a snapshot is written", "SAVE stops it, BGSAVE not"))
    server.kill()


def _breathe(client: SecondClient) -> None:
    """Let the second client ask a while with nothing else going on: the chart needs something to compare with."""
    until(lambda now=client.now: client.now > now + _CALM, "the second client asks")  # type: ignore[misc]


def _spanned(client: SecondClient, name: str, do: Callable[[], object]) -> Span:
    begin = client.begins(name)
    do()
    return Span(begin, client.ends(name))


def _bgsave(server: Server, book: Notebook) -> None:
    book.do(server, "BGSAVE", expect=one_of(_STARTED))
    until(lambda: server.info("persistence")["rdb_bgsave_in_progress"] == "0", "BGSAVE has ended", 60)


def _rules(lab: Lab, book: Notebook) -> None:
    book.part("A save rule: so many seconds since the last snapshot, and so many changes")
    # The order decides where both hold: the server takes the first that does.
    server = lab.server("ruled", "save 1 5", "save 2 3").start()
    book.do(server, "CONFIG", "GET", "save", expect=["save", "1 5 2 3"], meaning="two rules: 5 in 1 s, and 3 in 2 s")
    last = _last(server)
    book.do(server, "MSET", "a", 1, "b", 1, "c", 1, expect="OK", meaning="three changes at once")
    _changes(server, book, 3, "the number of 'save 2 3' is reached, its time is not")
    _triggered(server, book, last, "3 changes in 2 seconds", 2.0)
    _changes(server, book, 0, "the snapshot set the count of changes, and the clock, back")

    last = _last(server)
    book.do(server, "MSET", "d", 1, "e", 1, expect="OK", meaning="two more: with those before, five")
    until(lambda: time.time() > last + _LATER, "both times have passed")
    _changes(server, book, 2, "the time of both rules is over, and no snapshot: rules do not add up what was saved")
    book.do(server, "SET", "f", 1, expect="OK", meaning="the third since the last snapshot")
    _triggered(server, book, last, "3 changes in 2 seconds", 2.0)

    last = _last(server)
    five = [word for name in "ghijk" for word in (name, 1)]
    book.do(server, "MSET", *five, expect="OK", meaning="five changes: the other rule's number")
    _changes(server, book, 5, "its second is not over")
    _triggered(server, book, last, "5 changes in 1 seconds", 1.0)
    _changes(server, book, 0, "any rule alone is enough, and it sets back the counts of all")
    server.kill()


def _last(server: Server) -> int:
    """Return when the last snapshot was written, or the server started, in whole seconds of the clock."""
    return int(server.call("LASTSAVE"))


def _changes(server: Server, book: Notebook, expected: int, meaning: str) -> None:
    """Note how many changes the server counts since its last snapshot."""
    seen = server.info("persistence")["rdb_changes_since_last_save"]
    book.check(
        "INFO persistence: rdb_changes_since_last_save",
        seen,
        ok=seen == str(expected),
        expected=str(expected),
        meaning=meaning,
        where=server.name,
    )


def _triggered(server: Server, book: Notebook, last: int, rule: str, seconds: float) -> None:
    """Wait until a rule has had a snapshot written, and note which one it was and how long after the last one."""
    until(lambda: server.info("persistence")["rdb_changes_since_last_save"] == "0", f"'{rule}' triggers", _RULE_SECONDS)
    after = time.time() - last
    said = [line for line in server.log.splitlines() if line.endswith("Saving...")][-1]
    book.check(
        "its log",
        f"{said.split('* ')[-1]} ({after:.1f} s after the last)",
        ok=rule in said and after >= seconds,
        expected=f"{rule}, not sooner",
        meaning="the server started a BGSAVE by itself",
        where=server.name,
    )


def _restored(lab: Lab, book: Notebook) -> None:
    book.part("A restart brings the last snapshot back")
    server = lab.server("kept", "save 3600 1").start()
    book.do(server, "SET", "before", "in the snapshot", expect="OK")
    _bgsave(server, book)
    book.do(server, "SET", "after", "not in it", expect="OK", meaning="acknowledged, and only in memory")
    server.kill()
    server.start()
    book.check("kill -9, start", "it runs", ok=True, meaning="a crash: nothing could be saved", where=server.name)
    book.do(server, "GET", "before", expect="in the snapshot", meaning="read from dump.rdb")
    book.do(server, "GET", "after", expect=None, meaning="what came after the last snapshot is gone")
    book.do(server, "SET", "after", "stopped in order", expect="OK")
    server.stop()
    server.start()
    book.check(
        "SIGTERM, start", "it runs", ok=True, meaning="a clean stop saves first, where there is a rule", where="kept"
    )
    book.do(server, "GET", "after", expect="stopped in order")
    server.kill()


def _never(lab: Lab, book: Notebook) -> None:
    book.part('save "" writes none')
    server = lab.server("bare", 'save ""').start()
    file = server.folder / "dump.rdb"
    with server.client() as connection:
        fill(connection, 10_000, 32)
    book.do(server, "DBSIZE", expect=10_000, meaning="the number of 'save 60 10000', if there were such a rule")
    server.stop()
    book.check(
        "SIGTERM, then look for dump.rdb",
        "there is one" if file.exists() else "there is none",
        ok=not file.exists(),
        expected="there is none",
        meaning="without a rule a clean stop saves nothing either",
        where=server.name,
    )
    server.start()
    book.do(server, "DBSIZE", expect=0, meaning="everything is gone: only for data that can be had again elsewhere")
    book.do(server, "SET", "by hand", 1, expect="OK")
    _bgsave(server, book)
    book.check(
        "look for dump.rdb",
        "there is one" if file.exists() else "there is none",
        ok=file.exists(),
        expected="there is one",
        meaning="asked for by hand it is written all the same",
        where=server.name,
    )
    server.kill()


DRILL = Drill(
    "rdb",
    "Snapshots (RDB)",
    "SAVE blocks every client and BGSAVE none; each save rule waits for its time and its number; a restart restores",
    run,
    "lab",
)
