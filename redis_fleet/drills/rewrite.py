"""Rewriting the append-only file: the fewest commands that make the same data, and when it happens by itself."""

from __future__ import annotations

import re
import time
from typing import Any

from redis_fleet.agent.conf import aof
from redis_fleet.drills.aof_traps import files_of
from redis_fleet.drills.context import Place
from redis_fleet.drills.drill import Drill
from redis_fleet.drills.expect import that
from redis_fleet.drills.lab import Lab, Server, until
from redis_fleet.drills.latency import SecondClient, Span
from redis_fleet.drills.report import Chart, Series
from redis_fleet.drills.transcript import Notebook, command
from redis_fleet.drills.writers import fill

_HISTORY = (
    ("SADD", "myset", "peiqi"),
    ("SADD", "myset", "qiaozhi"),
    ("SADD", "myset", "danni"),
    ("SADD", "myset", "lingyang"),
    ("INCR", "number"),
    ("INCR", "number"),
    ("DEL", "number"),
    ("SET", "message", "hello world"),
    ("SET", "message", "hello tarena"),
    ("RPUSH", "mylist", "1", "2", "3"),
    ("RPUSH", "mylist", "5"),
    ("LPOP", "mylist"),
)
# As commands, to be read here: by default a rewritten file begins with a snapshot. And written to at once: with
# everysec a server holds its writes back for up to two seconds while the disk is busy with the last fsync.
_LINES = ('save ""', "appendonly yes", "appendfsync no", "aof-use-rdb-preamble no")
_PETS = {"peiqi", "qiaozhi", "danni", "lingyang"}
_KEYS, _LENGTH = 300_000, 64
_REAL, _LETTERS = 200, 1000  # some 200 kB of data, each key as long as the others
_CALM = 0.3
# The server looks ten times a second whether a rewrite is due (hz 10).
_LOOKED = 0.5
_DUE = 5.0
_LOGGED = "Starting automatic rewriting of AOF"
_STARTED = that("Background append only file rewriting started", lambda reply: "rewriting started" in str(reply))


def run(place: Place, book: Notebook) -> None:
    """Show all of it, on servers of its own."""
    with place.lab() as lab:
        _fewest(lab, book)
        _automatic(lab, book)
        _meanwhile(lab, book)


def _fewest(lab: Lab, book: Notebook) -> None:
    book.part("Thirteen commands become the fewest that make the same data")
    server = lab.server("small", *_LINES).start()
    for words in _HISTORY:
        server.call(*words)
    history, before, size = _written(server), _data(server), files_of(server).size
    book.check(
        "the append-only file",
        _listed(history),
        ok=[_lower(each) for each in history] == [_lower(("SELECT", "0")), *map(_lower, _HISTORY)],
        expected=_listed([("SELECT", "0"), *_HISTORY]),
        meaning=f"every change as it came: {len(history)} commands, {size} bytes",
        where=server.name,
    )
    _rewrite(server, book)
    rewritten, small = _written(server), files_of(server).size
    book.check(
        "the append-only file",
        _listed(rewritten),
        ok=_is_fewest(rewritten),
        expected="SELECT 0; then SADD myset with four members, SET message 'hello tarena', RPUSH mylist 2 3 5",
        meaning=f"what is there now, not how it came about: {len(rewritten)} commands, {small} bytes",
        where=server.name,
    )
    book.measure("commands before and after a rewrite", len(history) / max(1, len(rewritten)), "times fewer")
    _same(server, book, before, "the data", "nothing has changed")
    server.kill()
    server.start()
    _same(server, book, before, "the data after kill -9 and a start", "made again from the rewritten file")
    _snapshot(server, book)
    server.kill()


def _written(server: Server) -> list[tuple[str, ...]]:
    """Return the commands in all append-only files of a server, in their order."""
    contents = [aof.read(path.read_bytes()) for path in files_of(server).files]
    return [tuple(word.decode() for word in each) for content in contents for each in content.commands]


def _listed(commands: list[tuple[str, ...]]) -> str:
    return "; ".join(command(each) for each in commands)


def _lower(words: tuple[str, ...]) -> tuple[str, ...]:
    return (words[0].lower(), *words[1:])


def _is_fewest(commands: list[tuple[str, ...]]) -> bool:
    rest = {words[0].upper(): words[1:] for words in commands}
    pets = rest.get("SADD", ())
    return (
        len(commands) == 4
        and _lower(commands[0]) == ("select", "0")
        and (pets[:1], set(pets[1:])) == (("myset",), _PETS)
        and rest.get("SET") == ("message", "hello tarena")
        and rest.get("RPUSH") == ("mylist", "2", "3", "5")
    )


def _data(server: Server) -> dict[str, Any]:
    return {
        "keys": sorted(server.call("KEYS", "*")),
        "myset": sorted(server.call("SMEMBERS", "myset")),
        "message": server.call("GET", "message"),
        "mylist": server.call("LRANGE", "mylist", 0, -1),
    }


def _same(server: Server, book: Notebook, before: dict[str, Any], what: str, meaning: str) -> None:
    now = _data(server)
    shown = f"{', '.join(now['keys'])}; myset has {len(now['myset'])}, message is '{now['message']}', "
    book.check(
        what,
        shown + f"mylist is {' '.join(now['mylist'])}",
        ok=now == before,
        expected="the same as before",
        meaning=meaning,
        where=server.name,
    )


def _snapshot(server: Server, book: Notebook) -> None:
    book.do(server, "CONFIG", "SET", "aof-use-rdb-preamble", "yes", expect="OK", meaning="the default")
    _rewrite(server, book)
    first = files_of(server).files[0]
    lines = first.read_bytes().count(b"\n")
    book.check(
        f"wc -l {first.name}",
        f"{lines} lines, {'a snapshot' if aof.is_snapshot(first) else 'commands'}",
        ok=aof.is_snapshot(first),
        expected="a snapshot",
        meaning="the rewritten part is in the format of dump.rdb, smaller and sooner loaded: no lines to count",
        where=server.name,
    )


def _rewrite(server: Server, book: Notebook) -> None:
    book.do(server, "BGREWRITEAOF", expect=_STARTED)
    _await_rewrite(server)


def _await_rewrite(server: Server) -> None:
    def done() -> bool:
        seen = server.info("persistence")
        return seen["aof_rewrite_in_progress"] == seen["aof_rewrite_scheduled"] == "0"

    until(done, "the rewrite has ended", 60)


def _automatic(lab: Lab, book: Notebook) -> None:
    book.part("By itself: when the file has grown by so much, and is not small")
    server = lab.server("growing", *_LINES, "auto-aof-rewrite-percentage 0").start()
    _overwrite(server, _REAL)
    _rewrite(server, book)
    base, _ = _sizes(server)
    sizes = [(0.0, base / 1000)]

    book.do(server, "CONFIG", "SET", "auto-aof-rewrite-min-size", "10mb", expect="OK")
    book.do(server, "CONFIG", "SET", "auto-aof-rewrite-percentage", 100, expect="OK", meaning="when it has doubled …")
    _overwrite(server, _REAL + 50)
    sizes.append((1.0, _left_alone(server, book, base, "doubled, but … it is not 10mb: a small file is left alone")))
    times = _times(server)
    book.do(server, "CONFIG", "SET", "auto-aof-rewrite-min-size", "64kb", expect="OK")
    sizes.append((2.0, _rewritten(server, book, times, base, "doubled, and larger than 64kb")))

    base, _ = _sizes(server)
    _overwrite(server, _REAL // 2)
    sizes.append((3.0, _left_alone(server, book, base, "it has grown by half: the 100 % are of what the rewrite left")))
    times = _times(server)
    _overwrite(server, _REAL // 2 + 20)
    sizes.append((4.0, _rewritten(server, book, times, base, "doubled again")))
    labels = ("rewritten", "doubled, under min-size", "min-size lowered", "grown by half", "doubled again")
    book.chart(Chart("bars", "Size of the append-only file", "of the same data, overwritten again and again",
                     (Series("size", "kB", tuple(sizes)),), labels=labels))  # fmt: skip
    server.kill()


def _overwrite(server: Server, count: int) -> None:
    """Write so many values over the same keys: the file grows, the data does not."""
    for number in range(count):
        server.call("SET", f"key:{number % _REAL:03}", f"{number:08}" * (_LETTERS // 8))


def _sizes(server: Server) -> tuple[int, int]:
    """Return how large the file was after its last rewrite, and is now, in bytes."""
    seen = server.info("persistence")
    return int(seen["aof_base_size"]), int(seen["aof_current_size"])


def _times(server: Server) -> int:
    return server.log.count(_LOGGED)


def _left_alone(server: Server, book: Notebook, base: int, meaning: str) -> float:
    """Note that the server has seen the size of its file and not rewritten it; returns the size in kB."""
    before = _times(server)
    time.sleep(_LOOKED)  # that nothing happens takes time to see
    still, now = _sizes(server)
    book.check(
        "INFO persistence: aof_base_size, aof_current_size",
        f"{base / 1000:.0f} kB then, {now / 1000:.0f} kB now: {100 * (now - base) / max(base, 1):.0f} % more",
        ok=still == base and _times(server) == before,
        expected="no rewrite",
        meaning=meaning,
        where=server.name,
    )
    return now / 1000


def _rewritten(server: Server, book: Notebook, times: int, base: int, meaning: str) -> float:
    """Wait until it has rewritten its file more often than ``times`` and note it; returns the new size in kB."""
    until(lambda: _times(server) > times, "it rewrites its file by itself", _DUE)
    _await_rewrite(server)
    said = [line for line in server.log.splitlines() if _LOGGED in line][-1].split("* ")[-1]
    grown = re.search(r"on (\d+)% growth", said)
    large = base * (1 + int(grown[1] if grown else 0) / 100)
    _, small = _sizes(server)
    book.check(
        "its log",
        f"{said}: {large / 1000:.0f} kB before, {small / 1000:.0f} kB after",
        ok=small < large,
        expected="a smaller file",
        meaning=meaning,
        where=server.name,
    )
    return small / 1000


def _meanwhile(lab: Lab, book: Notebook) -> None:
    book.part("The server keeps answering meanwhile")
    server = lab.server("busy", 'save ""', "appendonly yes", "appendfsync no", "auto-aof-rewrite-percentage 0").start()
    with server.client() as connection:
        for _ in range(2):  # all of it twice, so that there is something to leave out
            fill(connection, _KEYS, _LENGTH)
    large = files_of(server).size
    with SecondClient(server, "key:1") as client:
        _breathe(client)
        begin = client.begins("BGREWRITEAOF")
        _rewrite(server, book)
        span = Span(begin, client.ends("BGREWRITEAOF"))
        _breathe(client)
    small, worst, answers = files_of(server).size, client.longest(span), client.answered(span)
    book.check(
        "longest wait of a second client during BGREWRITEAOF",
        f"{worst * 1000:.1f} ms of {span.seconds * 1000:.0f} ms, {answers} answers",
        ok=worst < span.seconds / 2 and answers >= 3,
        expected="much shorter than the rewrite took",
        meaning="a child process writes the new file; what comes in meanwhile is kept aside for it",
        where=server.name,
    )
    book.check(
        "size before and after",
        f"{large / 1e6:.1f} MB, {small / 1e6:.1f} MB",
        ok=small < large,
        expected="smaller",
        meaning=f"{_KEYS:,} keys that were written twice",
        where=server.name,
    )
    book.measure("BGREWRITEAOF", span.seconds * 1000, "ms", f"{large / 1e6:.1f} MB to {small / 1e6:.1f} MB")
    book.measure("longest wait during BGREWRITEAOF", worst * 1000, "ms")
    book.chart(
        client.chart("What a second client waits for during a rewrite", "a child does it; nobody is kept waiting")
    )
    server.kill()


def _breathe(client: SecondClient) -> None:
    until(lambda now=client.now: client.now > now + _CALM, "the second client asks")  # type: ignore[misc]


DRILL = Drill(
    "rewrite",
    "Rewriting the append-only file",
    "the fewest commands that make the same data; by hand, or by percentage and size; nobody is kept waiting",
    run,
    "lab",
)
