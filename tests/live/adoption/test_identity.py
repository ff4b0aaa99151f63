"""Import, render, start: the server answers CONFIG GET as with the file that it was set up with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from redis_fleet.agent.conf.text import parse_file
from redis_fleet.agent.protocol.resp import Connection, ReplyError, pairs
from redis_fleet.model import Fleet, Words
from redis_fleet.render.files import configuration
from tests.harness.engines import Binary, available
from tests.harness.live.importing import Corner, copied, corners, imported, rehomed, rendered, started

BINARIES = available()
pytestmark = pytest.mark.skipif(not BINARIES, reason="no engines here: python -m tests.harness.engines")

# What may differ, and why.
_OTHERS = {
    "unixsocket": "each process has a socket of its own",
    "pidfile": "each process has a file of its own",
}


def settings(connection: Connection) -> dict[str, object]:
    """Return all that a server tells of its configuration."""
    own: dict[str, object] = {
        name: value for name, value in pairs(connection.call("CONFIG", "GET", "*")).items() if name not in _OTHERS
    }
    # Every user that is not told otherwise sanitizes; before 8.0 only those that were told so say it.
    # Commands come in any order.
    own["users"] = [sorted(set(each.split()) - {"sanitize-payload"}) for each in connection.call("ACL", "LIST")]
    own["commands"] = connection.call("COMMAND", "COUNT")
    return own


def password_of(fleet: Fleet) -> str | None:
    """Return the password of the first process."""
    secret = fleet.processes[0].password
    return secret.reveal() if secret else None


# What a Sentinel is told, not what it sees.
_TOLD = ["name", "ip", "port", "quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs"]
_TOLD += ["notification-script", "client-reconfig-script"]


def watching(connection: Connection) -> dict[str, object]:
    """Return all that a Sentinel tells of its configuration; 6.0 has no command for most of it."""
    masters = [pairs(each) for each in connection.call("SENTINEL", "MASTERS")]
    own: dict[str, object] = {
        each["name"]: {name: each.get(name) for name in _TOLD} | {"replicas": replicas(connection, each["name"])}
        for each in masters
    }
    for words in (("SENTINEL", "CONFIG", "GET", "*"), ("ACL", "LIST")):
        try:
            answer = connection.call(*words)
        except ReplyError as error:
            answer = str(error).partition(",")[0]
        own[words[0]] = [each.replace(" sanitize-payload", "") for each in answer]
    return own


def replicas(connection: Connection, name: str) -> list[str]:
    """Return the replicas that a Sentinel knows."""
    return sorted(pairs(each)["name"] for each in connection.call("SENTINEL", "SLAVES", name))


def both(binary: Binary, file: Path, folder: Path, version: str | None = None, *, brief: bool = False) -> None:
    """Hold the answers on a file against those on what comes out of importing it."""
    fleet, _ = imported([file], folder / "out", binary.engine, version, brief=brief)
    again = folder / "again" / "redis.conf"
    again.parent.mkdir()
    again.write_bytes(rendered(fleet))
    with started(binary.server, file, password=password_of(fleet)) as connection:
        before = settings(connection)
    with started(binary.server, again, password=password_of(fleet), folder=file.parent) as connection:
        after = settings(connection)
    assert after == before


READ = [(binary, each) for binary in BINARIES for each in corners("*.conf", "*/redis.conf") if each.suits(binary)]


@pytest.mark.parametrize(("binary", "corner"), READ, ids=str)
def test_a_corner_of_the_grammar_comes_back(binary: Binary, corner: Corner, tmp_path: Path) -> None:
    both(binary, copied(corner, tmp_path / "in"), tmp_path, corner.tags.get("version") and binary.version)


STOCK = [(binary, file) for binary in BINARIES for file in binary.stock if file.name != "sentinel.conf"]


@pytest.mark.parametrize(("binary", "file"), STOCK, ids=str)
def test_the_file_of_a_package_comes_back(binary: Binary, file: Path, tmp_path: Path) -> None:
    mine = tmp_path / "in" / file.name
    mine.parent.mkdir()
    mine.write_bytes(rehomed(file.read_bytes(), tmp_path))
    both(binary, mine, tmp_path)


@pytest.mark.parametrize("told", [True, False], ids=["of-its-version", "of-any-version"])
@pytest.mark.parametrize(("binary", "file"), STOCK, ids=str)
def test_a_brief_description_says_the_same(binary: Binary, file: Path, told: bool, tmp_path: Path) -> None:
    mine = tmp_path / "in" / file.name
    mine.parent.mkdir()
    mine.write_bytes(rehomed(file.read_bytes(), tmp_path))
    both(binary, mine, tmp_path, binary.version if told else None, brief=True)


DEFAULTS = [(binary, each) for binary in BINARIES for each in corners("*.conf") if each.suits(binary)]


@pytest.mark.long
@pytest.mark.parametrize(("binary", "corner"), DEFAULTS, ids=str)
def test_a_corner_comes_back_from_a_brief_description(binary: Binary, corner: Corner, tmp_path: Path) -> None:
    both(binary, copied(corner, tmp_path / "in"), tmp_path, binary.version, brief=True)


# As an operator changes a running server by hand; not every version has them all.
_CHANGES = [
    ("maxmemory", "77mb"),
    ("maxmemory-policy", "volatile-ttl"),
    ("save", "900 1 300 10"),
    ("requirepass", "By-Hand-1"),
    ("masterauth", "By-Hand-1"),
    ("appendonly", "yes"),
    ("hz", "33"),
    ("client-output-buffer-limit", "pubsub 1mb 512kb 5"),
    ("notify-keyspace-events", "KEA"),
    ("slowlog-max-len", "999"),
    ("latency-tracking-info-percentiles", "50 99.5"),
    ("list-max-ziplist-size", "-4"),
    ("replica-priority", "13"),
    ("lua-time-limit", "1234"),
    ("oom-score-adj-values", "1 200 800"),
    ("timeout", "4"),
    ("repl-backlog-size", "3mb"),
    ("acllog-max-len", "64"),
]
REWRITTEN = [(binary, file) for binary, file in STOCK] + [(binary, None) for binary in BINARIES if not binary.stock]


@pytest.mark.parametrize(("binary", "file"), REWRITTEN, ids=str)
@pytest.mark.parametrize("open_", [False, True], ids=["password", "open"])
def test_what_config_rewrite_leaves_behind_comes_back(
    binary: Binary, file: Path | None, open_: bool, tmp_path: Path
) -> None:
    mine = tmp_path / "in" / (file.name if file else f"{binary.engine}.conf")
    mine.parent.mkdir()
    mine.write_bytes(rehomed(file.read_bytes(), tmp_path) if file else b"save 900 1\n")
    with started(binary.server, mine) as connection:
        known = pairs(connection.call("CONFIG", "GET", "*"))
        for name, value in _CHANGES:
            if name in known and not (open_ and name in ("requirepass", "masterauth")):
                connection.call("CONFIG", "SET", name, value)
        connection.call("ACL", "SETUSER", "app", "on", ">Application-2", "~app:*", "+@read")
        connection.call("CONFIG", "REWRITE")
        connection.call("CONFIG", "REWRITE")
    # The options of this test are not the operator's.
    kept = [line for line in mine.read_bytes().split(b"\n") if not line.startswith((b"unixsocket ", b"port 0"))]
    mine.write_bytes(b"\n".join(kept))
    assert b"# Generated by CONFIG REWRITE" in mine.read_bytes()
    both(binary, mine, tmp_path)


SENTINELS = [(binary, file) for binary in BINARIES for file in binary.stock if file.name == "sentinel.conf"]
SENTINELS += [(binary, each.path) for binary in BINARIES for each in corners("sentinel/*.conf") if each.suits(binary)]


@pytest.mark.parametrize(("binary", "file"), SENTINELS, ids=lambda each: getattr(each, "stem", str(each)))
@pytest.mark.parametrize("ran", [False, True], ids=["fresh", "has-run"])
def test_a_sentinel_comes_back(binary: Binary, file: Path, ran: bool, tmp_path: Path) -> None:
    """``has-run``: the file that Sentinel wrote itself when it started."""
    mine = tmp_path / "in" / file.name
    mine.parent.mkdir()
    mine.write_bytes(rehomed(file.read_bytes(), tmp_path))
    told = re.search(rb"^requirepass (\S+)", mine.read_bytes(), re.MULTILINE)
    password = told[1].decode() if told else None
    options = ("--sentinel",)
    if ran:
        with started(binary.server, mine, *options, password=password):
            pass
        kept = [line for line in mine.read_bytes().split(b"\n") if not line.startswith((b"unixsocket ", b"port 0"))]
        mine.write_bytes(b"\n".join(kept))
    fleet, _ = imported([mine], tmp_path / "out", binary.engine)
    again = tmp_path / "again" / "sentinel.conf"
    again.parent.mkdir()
    again.write_bytes(rendered(fleet, -1))
    with started(binary.server, mine, *options, password=password) as connection:
        before = watching(connection)
    with started(binary.server, again, *options, password=password) as connection:
        after = watching(connection)
    assert after == before
    assert of_each_master(again) == of_each_master(mine)


def of_each_master(file: Path) -> set[Words]:
    """Return what Sentinel, which has written its file anew at its start, holds of each master and does not tell."""
    untold = ("auth-user", "auth-pass", "rename-command")
    return {each.words for each in parse_file(file.read_text("utf-8")) if each.words and each.words[0] in untold}


REFUSED = [
    (binary, each)
    for binary in BINARIES
    for each in corners("refused/*.conf")
    if each.suits(binary) and "starts" not in each.tags
]


@pytest.mark.parametrize(("binary", "corner"), REFUSED, ids=str)
def test_no_server_starts_with_what_is_refused(binary: Binary, corner: Corner, tmp_path: Path) -> None:
    file = copied(corner, tmp_path / "in")
    options = ("--sentinel",) if "sentinel" in file.name else ()
    with pytest.raises(AssertionError), started(binary.server, file, *options):
        pass


def test_processes_whose_lists_differ_have_each_its_own_lines(tmp_path: Path) -> None:
    """Users and renamed commands that not all of a service have, of one machine and of several."""
    binary = BINARIES[-1]
    common = 'user app on >App-Word-1 ~* &* +@read\nrename-command FLUSHALL ""\n'
    texts = {
        "red1/redis-7001.conf": f"bind 10.9.0.1\nport 7001\n{common}user ops on >Ops-Word-2 ~* &* +@all\n",
        "red1/redis-7002.conf": f'bind 10.9.0.1\nport 7002\n{common}rename-command KEYS ""\nreplicaof 10.9.0.1 7001\n',
        "red2/redis-7001.conf": "bind 10.9.0.2\nport 7001\nuser ops on >Other-3 ~* &* +get\nreplicaof 10.9.0.1 7001\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    fleet, _ = imported([tmp_path / "red1", tmp_path / "red2"], tmp_path / "out", binary.engine)
    (service,) = fleet.services
    for process in service.processes:
        again = tmp_path / f"{process.name}-{process.machine}.conf"
        again.write_text(away(configuration(fleet, process)), encoding="utf-8")
        file = tmp_path / process.machine / f"redis-{process.endpoint.port}.conf"
        file.write_text(away(file.read_text("utf-8")), encoding="utf-8")
        with started(binary.server, file) as connection:
            before = settings(connection)
        with started(binary.server, again, folder=file.parent) as connection:
            assert settings(connection) == before


def away(text: str) -> str:
    """Let replicas follow a loopback port where nobody listens."""
    return text.replace("replicaof 10.9.0.1 7001", "replicaof 127.0.0.1 1")
