"""What goes wrong with append-only files: switched on by a restart, and damaged by a power cut."""

from __future__ import annotations

from contextlib import ExitStack

from redis_fleet.agent.conf import aof
from redis_fleet.agent.conf.aof_check import Damage, checker, cut, examine
from redis_fleet.agent.errors import RefusedError
from redis_fleet.agent.process.persistence import append_only
from redis_fleet.drills.expect import that
from redis_fleet.drills.lab import Lab, Server
from redis_fleet.drills.transcript import Notebook

_NAME, _FOLDER = "appendonly.aof", "appendonlydir"
_KEYS = 200
_ZEROS = 1000


def files_of(server: Server) -> aof.Layout:
    """Return the append-only files of a lab's server; raises FileNotFoundError when it has none."""
    found = aof.layout(server.folder, _NAME, _FOLDER)
    if found is None:
        raise FileNotFoundError(f"{server.name} has no append-only file in {server.folder}")
    return found


def both_files(lab: Lab, book: Notebook) -> None:
    """Show which file is read when there are both."""
    book.part("Both dump.rdb and an append-only file")
    server = lab.server("both", 'save ""', "appendfsync always", "appendonly no").start()
    book.do(server, "SET", "from", "dump.rdb", expect="OK")
    book.do(server, "SAVE", expect="OK")
    server.kill()
    server.lines[-1] = "appendonly yes"
    server.start()
    book.do(server, "SET", "from", "the append-only file", expect="OK", meaning="started again with appendonly yes")
    server.kill()
    server.start()
    book.do(server, "GET", "from", expect="the append-only file", meaning="both are there: the append-only file wins")
    server.kill()
    server.lines[-1] = "appendonly no"
    server.start()
    book.do(server, "GET", "from", expect="dump.rdb", meaning="with appendonly no it is not even looked at")
    server.kill()


def turned_on(lab: Lab, book: Notebook) -> None:
    """Show that ``appendonly yes`` in the file and a restart lose everything, and how it is done."""
    book.part("Trap: appendonly yes in the file, then a restart")
    server = lab.server("careless", "save 3600 1", "appendonly no").start()
    _write(server, book)
    server.stop()
    server.lines[-1] = "appendonly yes"
    server.start()
    book.do(server, "DBSIZE", expect=0, meaning="empty: dump.rdb was there, complete, and nobody read it")
    book.do(server, "SET", "new", 1, expect="OK")
    server.stop()
    server.lines[-1] = "appendonly no"
    server.start()
    book.do(server, "DBSIZE", expect=1, meaning="and the next clean stop has written the empty set over dump.rdb")
    server.kill()

    book.part("The way to do it: switch it on while the server runs")
    server = lab.server("careful", "save 3600 1", "appendonly no").start()
    _write(server, book)
    with server.client() as connection:
        append_only(connection, "yes", 30.0)
    book.check(
        "CONFIG SET appendonly yes, wait for the rewrite, CONFIG REWRITE",
        "done",
        ok=True,
        meaning="the server writes what it has into the new file first; redis-fleet deploy does the same",
        where=server.name,
    )
    server.kill()
    server.start(write=False)
    book.do(server, "DBSIZE", expect=_KEYS, meaning="after kill -9 and a restart everything is there")
    book.do(server, "CONFIG", "GET", "appendonly", expect=["appendonly", "yes"])
    server.kill()


def _write(server: Server, book: Notebook) -> None:
    words = [word for number in range(_KEYS) for word in (f"key:{number}", f"value {number}")]
    server.call("MSET", *words)
    book.do(server, "DBSIZE", expect=_KEYS)


def damaged(lab: Lab, book: Notebook) -> None:
    """Show what a damaged end does to the start, and the way out."""
    book.part("Half a command at the end: a crash in the middle of a write")
    server = _written(lab, "halved")
    data = files_of(server).last.read_bytes()
    files_of(server).last.write_bytes(data[:-3])
    server.start()
    expected = that(f"between 1 and {_KEYS - 1}", lambda count: 0 < int(count) < _KEYS)
    book.do(server, "GET", "count", expect=expected, meaning="the half is dropped (aof-load-truncated yes), and said")
    server.kill()

    book.part("Trap: zeros at the end, which a power cut leaves under appendfsync no")
    server = _written(lab, "zeroed")
    file = files_of(server).last
    data = file.read_bytes()
    file.write_bytes(data[:-_ZEROS] + bytes(_ZEROS))
    server.begin()
    code = server.ended()
    said = next((line for line in server.log.splitlines()[::-1] if "Bad file format" in line), "nothing of it")
    book.check(
        f"the last {_ZEROS} bytes are zeros; start",
        f"exit code {code}: {said.partition('# ')[2] or said}",
        ok=code != 0 and "Bad file format" in said,
        expected="it refuses to start",
        meaning="the file had grown on the disk, its contents had not arrived; systemd gives up after some attempts",
        where=server.name,
    )
    _ways_out(server, book)


def _written(lab: Lab, name: str) -> Server:
    """Return a server that was killed, with commands alone in its file."""
    lines = ('save ""', "appendonly yes", "appendfsync no", "aof-use-rdb-preamble no")
    server = lab.server(name, *lines).start()
    for _ in range(_KEYS):
        server.call("INCR", "count")
    server.kill()
    return server


def _ways_out(server: Server, book: Notebook) -> None:
    with ExitStack() as stack:
        try:
            tool = stack.enter_context(checker(server.binary))
        except RefusedError as error:
            book.check("redis-check-aof", str(error), ok=True, meaning="so the way out is not shown here")
            return
        damage = _seen(tool, server, book)
        if damage is None:
            return
        cut(tool, files_of(server))
    left = damage.file.stat().st_size
    book.check(
        f"redis-check-aof --fix {files_of(server).check.name}",
        f"{damage.cut:,} bytes cut off, {left:,} are left",
        ok=left == damage.size - damage.cut,
        expected=f"{damage.size - damage.cut:,} bytes are left",
        meaning="on a machine: redis-fleet repair FILE PROCESS, which makes a copy first and looks at what would go",
        where=server.name,
    )
    server.start()
    expected = that(f"between 1 and {_KEYS - 1}", lambda count: 0 < int(count) < _KEYS)
    book.do(server, "GET", "count", expect=expected, meaning="it starts; what was in the zeroed part is lost for good")
    server.kill()


def _seen(tool: str, server: Server, book: Notebook) -> Damage | None:
    files = files_of(server)
    try:
        damage = examine(tool, files)
    except RefusedError as error:
        book.check("redis-check-aof", str(error), ok=False, expected="a damaged end", where=server.name)
        return None
    book.check(
        f"redis-check-aof {files.check.name}",
        f"in order up to byte {damage.size - damage.cut:,} of {damage.size:,}; whole commands in the rest:"
        f" {damage.commands}",
        ok=_ZEROS <= damage.cut < _ZEROS + 100 and damage.commands == 0,
        expected=f"about {_ZEROS:,} bytes without a command in them",
        meaning="nothing that could still be read is thrown away",
        where=server.name,
    )
    return damage
