"""Every directive of sentinel.conf on every engine that Debian and the wheels offer: what the table says happens."""

from __future__ import annotations

import grp
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from redis_fleet.agent.conf.text import parse_file
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.protocol.resp import ReplyError, pairs
from redis_fleet.catalogue import sentinel, table, values
from redis_fleet.catalogue.sentinel import SentinelDirective
from redis_fleet.engine_probe.scratch import Scratch, StartError, scratch
from redis_fleet.model import Fleet, Paths, Process, Setting
from redis_fleet.render.files import configuration
from tests.harness.engines import Binary, available
from tests.harness.live import legal

pytestmark = pytest.mark.skipif(not available(), reason="no engines here; python -m tests.harness.engines builds them")
each_binary = pytest.mark.parametrize("binary", available(), ids=str)

MASTER = "shop"
MONITOR = Setting("sentinel monitor", ((MASTER, "127.0.0.1", "1", "2"),))
# Other values where the type does not tell one; @script@ is a program that does nothing.
BY_HAND = {
    "announce-ip": ["10.0.0.7"],
    "auth-pass": ["Other-secret_1"],
    "auth-user": ["other"],
    "client-reconfig-script": ["@script@"],
    "notification-script": ["@script@"],
    "sentinel-pass": ["Other-secret_2"],
    "sentinel-user": ["other"],
}
BY_TYPE = {"rename": [["CONFIG GUARDED"], ["CONFIG GUARDED", "SLAVEOF FOLLOW"]]}
STRICTER = {
    "announce-port": "any number is taken, and none that is out of range can be reached",
    "parallel-syncs": "any number is taken, and none below 0 means anything",
}
# Ordinary directives that this test's start settles, or whose other value asks for more than a file.
NOT_ORDINARY = {
    "aclfile": "excludes user lines, which every Sentinel writes",
    "daemonize": "a process that leaves its parent is out of sight",
    "dir": "the scratch folder",
    "logfile": "what the Sentinel says against its file would be in there",
    "port": "no network",
    "tls-port": "no network",
    "tls-replication": "needs certificates",
    "unixsocket": "the way in",
    "user": "has a test of its own",
}


def directives(binary: Binary) -> list[SentinelDirective]:
    """Return what may be set on a binary's Sentinel, less the monitor line."""
    names = sentinel.names(binary.engine, binary.version, state=False)
    found = [sentinel.find(binary.engine, binary.version, name) for name in names]
    return [each for each in found if each is not None and each.name != "monitor"]


def others(directive: SentinelDirective, script: Path) -> list[values.Lines]:
    """Return legal values, each as the words of its lines, without the master's name."""
    if directive.name in BY_HAND:
        texts = [[text.replace("@script@", str(script))] for text in BY_HAND[directive.name]]
    else:
        texts = BY_TYPE.get(directive.value.type) or legal.others(directive.value)
    return [values.lines(directive.value, each) for each in texts]


def setting(directive: SentinelDirective, lines: values.Lines) -> Setting:
    """Return a directive as a process has it: behind ``sentinel``, with the master's name where it is about one."""
    whose = (MASTER,) if directive.scope == "master" else ()
    return Setting(f"sentinel {directive.name}", tuple((*whose, *words) for words in lines))


def rendered(binary: Binary, settings: Sequence[Setting]) -> str:
    """Return the sentinel.conf that the project writes for these settings."""
    paths = Paths("/sentinel.conf", "/", "", "")
    process = Process("tried", "sentinel", "here", "", Endpoint("127.0.0.1", 1), (MONITOR, *settings), paths)
    return configuration(Fleet("tried", binary.engine, "", {}, ()), process)


def written(server: Scratch, binary: Binary) -> dict[str, values.Lines]:
    """Return the Sentinel directives of the file that a running Sentinel has written, without the master's name."""
    found: dict[str, values.Lines] = {}
    for line in parse_file(server.configuration.read_text()):
        known = sentinel.find(binary.engine, binary.version, line.words[0]) if line.name == "sentinel" else None
        if known:
            words = line.words[2 if known.scope == "master" else 1 :]
            # Of two lines the last one counts: valkey 8 leaves the master-... line and writes primary-... behind it.
            found[known.name] = (*found.get(known.name, ()), words) if known.value.repeatable else (words,)
    return found


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that does nothing."""
    path = tmp_path / "script"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@each_binary
def test_defaults_are_accepted_and_mean_what_is_there_without_them(binary: Binary) -> None:
    wanted = [each for each in directives(binary) if each.value.default]
    settings = [setting(each, values.lines(each.value, [each.value.default or ""])) for each in wanted]
    with scratch(binary.sentinel, rendered(binary, settings)) as server:
        with_them, kept = said(server), written(server, binary)
    with scratch(binary.sentinel, rendered(binary, [])) as server:
        assert said(server) == with_them
    for each in wanted:
        default = each.value.default or ""
        assert with_them.get(each.name, default) == default
        assert values.canonical(each.value, kept.get(each.name, default)) == values.canonical(each.value, default)
    assert {each.name for each in wanted} & with_them.keys() >= {"down-after-milliseconds", "parallel-syncs"}


def said(server: Scratch) -> dict[str, str]:
    """Return what a Sentinel answers of its settings."""
    answers = pairs(server.call("SENTINEL", "MASTER", MASTER))
    with suppress(ReplyError):  # redis 6.0 has no such command
        answers |= pairs(server.call("SENTINEL", "CONFIG", "GET", "*"))
    changing = ("runid", "last-", "link-", "info-refresh", "role-reported", "flags", "-down-time", "pending", "myid")
    return {name: text for name, text in answers.items() if not any(part in name for part in changing)}


@each_binary
def test_other_values_are_accepted_and_come_back(binary: Binary, script: Path) -> None:
    choices = {each.name: (each, others(each, script)) for each in directives(binary)}
    for turn in range(max(len(lines) for _, lines in choices.values())):
        wanted = {name: (each, lines[turn % len(lines)]) for name, (each, lines) in choices.items()}
        problems = {name: sentinel.problem(*one) for name, one in wanted.items()}
        assert not any(problems.values()), problems
        with scratch(binary.sentinel, rendered(binary, [setting(*one) for one in wanted.values()])) as server:
            found, answers = written(server, binary), said(server)
        for name, (each, lines) in wanted.items():
            expected = values.canonical(each.value, lines)
            default = each.value.default is not None and expected == values.canonical(each.value, each.value.default)
            back = found.get(name, ((each.value.default or "",),) if default else ())
            assert values.canonical(each.value, back) == expected, name
            if name in answers and each.value.type != "rename":
                assert values.canonical(each.value, answers[name]) == expected, name


@each_binary
def test_what_the_table_calls_live_is_taken_by_a_running_sentinel_and_the_rest_is_not(
    binary: Binary, script: Path
) -> None:
    with scratch(binary.sentinel, rendered(binary, [Setting("sentinel deny-scripts-reconfig", (("no",),))])) as server:
        for each in directives(binary):
            lines = others(each, script)[0]
            assert taken(server, each.name, lines[0]) == each.set_live, each.name


def taken(server: Scratch, name: str, words: Sequence[str]) -> str:
    """Return by which command a running Sentinel takes a value, in the table's word for it."""
    for live, command in (("set", ("SET", MASTER)), ("config-set", ("CONFIG", "SET"))):
        try:
            server.call("SENTINEL", *command, name, *words)
        except ReplyError:
            continue
        return live
    return "restart"


@each_binary
def test_what_the_table_refuses_the_sentinel_refuses_too(binary: Binary) -> None:
    for each in directives(binary):
        wrong = legal.illegal(each.value) if each.value.type in ("bool", "integer") else []
        for text in wrong:
            assert sentinel.problem(each, ((text,),)), f"{each.name} {text!r}"
            lower = each.name not in STRICTER and as_read(text) < (each.value.minimum or 0)
            if each.value.type == "bool" or lower:
                assert refused(binary, rendered(binary, [setting(each, ((text,),))])), f"{each.name} {text!r}"
    for name, line in {"down-after-millisecond": "5", "nosuch": "1"}.items():
        assert sentinel.find(binary.engine, binary.version, name) is None
        assert refused(binary, rendered(binary, [Setting(f"sentinel {name}", ((MASTER, line),))]))


def as_read(text: str) -> int:
    """Return the number that a Sentinel reads (atoi): the digits in front; the table is stricter."""
    digits = re.match(r"[+-]?\d+", text)
    return int(digits[0]) if digits else 0


def refused(binary: Binary, text: str) -> bool:
    """Say whether a Sentinel does not start with a file."""
    try:
        with scratch(binary.sentinel, text):
            return False
    except StartError:
        return True


@each_binary
def test_ordinary_directives_are_accepted_and_kept(binary: Binary) -> None:
    column = table.catalogue(binary.engine, binary.version)
    with scratch(binary.server) as server:
        present = {name for name in sentinel.ordinary(binary.engine, binary.version) if server.settings(name)}
    group = grp.getgrgid(os.getgid()).gr_name
    wanted: dict[str, values.Lines] = {}
    for name in present - set(NOT_ORDINARY):
        directive = column.find(name)
        assert directive is not None
        texts = [text.replace("@group@", group) for text in legal.others(directive)[0]]
        wanted[name] = values.lines(directive, texts)
    password = wanted["requirepass"][0][0]
    text = rendered(
        binary,
        [
            *(Setting(name, lines) for name, lines in wanted.items()),
            Setting("user", (("watcher", "on", ">secret", "+@all"),)),
        ],
    )
    with scratch(binary.sentinel, text, password=password) as server:
        kept = {line.name: line.words for line in parse_file(server.configuration.read_text())}
    for name, lines in wanted.items():
        directive = column.find(name)
        assert directive is not None
        assert values.canonical(directive, (kept.get(directive.name, ()),)) == values.canonical(directive, lines), name
    assert len(wanted) > 20


def given(name: str, passwords: Sequence[str]) -> list[Setting]:
    """Return the masters that a Sentinel watches, one for each password, and their line ``name``."""
    found = [Setting("sentinel monitor", ((f"m{at}", "127.0.0.1", str(at + 1), "1"),)) for at in range(len(passwords))]
    return [*found, *(Setting(f"sentinel {name}", ((f"m{at}", each),), True) for at, each in enumerate(passwords))]


def rewritten(server: Scratch) -> str:
    """Return what a Sentinel writes of those it watches."""
    server.call("SENTINEL", "FLUSHCONFIG")
    lines = server.configuration.read_text().splitlines()
    return "\n".join(line for line in lines if line.startswith("sentinel "))


@each_binary
def test_a_password_of_every_sign_that_is_not_refused_is_read_back(binary: Binary) -> None:
    signs = [chr(code) for code in range(33, 127) if chr(code) not in "\"'"]
    passwords = [text for sign in signs for text in (f"{sign}secret", f"sec{sign}ret", f"secret{sign}")]
    text = rendered(binary, given("auth-pass", passwords))
    with scratch(binary.sentinel, text) as server:
        once = rewritten(server)
    with scratch(binary.sentinel, once) as server:
        twice = rewritten(server)

    kept = {line.words[1]: line.words[2] for line in parse_file(twice) if line.words[:1] == ("auth-pass",)}
    assert kept == {f"m{at}": password for at, password in enumerate(passwords)}


@pytest.mark.parametrize("sign", [" ", "\t", '"', "'"])
def test_what_is_refused_in_a_password_keeps_an_older_sentinel_from_starting_again(sign: str) -> None:
    oldest = available()[0]
    with scratch(oldest.sentinel, rendered(oldest, given("auth-pass", [f"sec{sign}ret"]))) as server:
        once = rewritten(server)
    with pytest.raises(StartError), scratch(oldest.sentinel, once):
        pass
