"""Every directive of the table on every engine that Debian and the wheels offer: what the table says is what happens.

``python -m tests.harness.engines`` builds the engines; without them these tests skip.
"""

from __future__ import annotations

import grp
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from redis_fleet.agent.conf.text import parse_file, quote
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.table import Catalogue, Directive
from redis_fleet.engine_probe import compare
from redis_fleet.engine_probe.scratch import Scratch, StartError, scratch
from redis_fleet.loopback import free_ports
from redis_fleet.model import Fleet, Paths, Process, Setting
from redis_fleet.render.files import configuration
from tests.harness.engines import Binary, available
from tests.harness.live import certificates, legal

pytestmark = pytest.mark.skipif(not available(), reason="no engines here; python -m tests.harness.engines builds them")
each_binary = pytest.mark.parametrize("binary", available(), ids=str)

# Settled by the scratch start itself: there they are, with values that are not the default.
BY_THE_START = ("dir", "port", "unixsocket")
NOT_WRITTEN = {
    "replicaof": "there is no line for following nobody",
    "maxclients": "the limit of open files may be lower than the default",
}
NOT_TRIED = {
    "daemonize": "a process that leaves its parent is out of sight",
    "rdma-bind": "no build here has RDMA",
    "rdma-port": "no build here has RDMA; without it valkey 8.1 and 9 crash",
}
# What a value cannot do without, also where it is tried alone.
_CERTIFICATES = ("tls-cert-file", "tls-key-file", "tls-ca-cert-file")
WITH = dict.fromkeys(("tls-port", "tls-replication", "tls-cluster"), _CERTIFICATES)
_NO_TLS = "Failed finding TLS support"
# What a build may lack, whatever its version, and how its refusal sounds.
LACKING = {
    "activedefrag": "requires a .*server compiled with a modified Jemalloc",
    **dict.fromkeys(WITH, _NO_TLS),
}
# Each has a start of its own.
APART = {
    "io-threads": "several make every answer slow here",
    "cluster-enabled": "excludes replicaof",
    "logfile": "what the server says against its file would be in there",
    "aclfile": "decides on the default user's password instead of requirepass",
}


def process_of(settings: Sequence[Setting]) -> Process:
    """Return a server with these settings alone."""
    paths = Paths("/redis.conf", "/", "", "")
    return Process("tried", "server", "here", "tried", Endpoint("127.0.0.1", 1), tuple(settings), paths)


def rendered(binary: Binary, settings: Sequence[Setting]) -> str:
    """Return the file that the project writes for these settings."""
    return configuration(Fleet("tried", binary.engine, "", {}, ()), process_of(settings))


@dataclass(frozen=True)
class Bench:
    """One binary with its column of the table, and what the placeholders in legal values stand for."""

    binary: Binary
    table: Catalogue
    places: Mapping[str, str]

    def lines(self, directive: Directive, texts: Sequence[str]) -> values.Lines:
        """Turn what YAML says into lines, as a description's values are."""
        for place, real in self.places.items():
            texts = [text.replace(place, real) for text in texts]
        return values.lines(directive, texts)

    def known(self, name: str) -> Directive:
        """Return a directive of the column."""
        found = self.table.find(name)
        assert found is not None, name
        return found

    def directives(self) -> list[Directive]:
        """Return what can be asked for, less what this build leaves out."""
        with scratch(self.binary.server) as server:
            return [each for each in self.table if not (each.file_only or each.set_only) and server.settings(each.name)]


@pytest.fixture(params=available(), ids=str)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """A bench whose folder has what the legal values name."""
    certificates.make(tmp_path)
    (tmp_path / "users.acl").write_text("user watcher on >secret +@all\n")
    places = {"@folder@": str(tmp_path), "@port@": str(free_ports(1)[0]), "@group@": grp.getgrgid(os.getgid()).gr_name}
    binary = request.param
    return Bench(binary, table.catalogue(binary.engine, binary.version), places)


def tried(bench: Bench, wanted: Mapping[str, tuple[Directive, values.Lines]]) -> list[str]:
    """Start the binary on a rendered file; returns what it complained about or answers otherwise, each in a line."""
    settings = [Setting(name, lines) for name, (_, lines) in wanted.items()]
    beside = {other for name in wanted for other in WITH.get(name, ()) if other not in wanted}
    settings += [Setting(name, bench.lines(bench.known(name), legal.others(bench.known(name))[0])) for name in beside]
    text = rendered(bench.binary, settings)
    password = wanted["requirepass"][1][0][0] if "requirepass" in wanted else ""
    try:
        with scratch(bench.binary.server, text, password=password or None) as server:
            answers = server.settings()
            hidden = {name: text for name in wanted if name not in answers for text in server.settings(name).values()}
            return [wrong for each in wanted.values() if (wrong := otherwise({**answers, **hidden}, *each))]
    except (StartError, OSError) as error:
        if len(wanted) == 1:
            ((name, (_, lines)),) = wanted.items()
            return [f"{name} {lines}: {' '.join(str(error).splitlines()[-3:])}"]
        guilty = guilty_of(bench, wanted, str(error))
        if not guilty:
            return [f"together: {error}"]
        rest = {name: wanted[name] for name in wanted if name not in guilty}
        return [*(wrong for name in guilty for wrong in tried(bench, {name: wanted[name]})), *tried(bench, rest)]


def guilty_of(bench: Bench, wanted: Mapping[str, tuple[Directive, values.Lines]], complaint: str) -> list[str]:
    """Return the names that a complaint is about: the one that it shows, else those that are refused alone too."""
    shown = re.search(r">>> '([^ ']+)", complaint)
    if shown and shown[1] in wanted:
        return [shown[1]]
    return [name for name in wanted if tried(bench, {name: wanted[name]})]


def otherwise(answers: Mapping[str, str], directive: Directive, lines: values.Lines) -> str:
    """Return how CONFIG GET's answer differs from what the file said, or nothing."""
    answer = answers.get(directive.name, "no answer")
    expected = values.canonical(directive, lines)
    same = values.canonical(directive, answer) == expected
    return "" if same else f"{directive.name} {expected!r}: CONFIG GET answers {answer!r}"


def test_every_directive_with_its_default_is_accepted_and_comes_back(bench: Bench) -> None:
    wanted, problems = {}, []
    for directive in bench.directives():
        if directive.default is None or directive.name in (*BY_THE_START, *NOT_WRITTEN):
            continue
        empty = directive.many_words and not directive.default
        lines = bench.lines(directive, [] if empty else [directive.default])
        problems += [f"{directive.name}: {wrong}" for wrong in [values.problem(directive, lines)] if wrong]
        wanted[directive.name] = (directive, lines)
    assert not problems, "\n".join(problems)
    found = tried(bench, wanted)
    assert not found, "\n".join(found)
    assert len(wanted) > 120


def test_every_directive_with_every_other_value_is_accepted_and_comes_back(bench: Bench) -> None:
    choices, problems = {}, []
    for directive in bench.directives():
        if directive.name in (*BY_THE_START, *NOT_TRIED):
            continue
        choices[directive.name] = [(directive, bench.lines(directive, texts)) for texts in legal.others(directive)]
        found = [values.problem(*choice) for choice in choices[directive.name]]
        problems += [
            f"{directive.name} {texts}: {wrong}" for texts, wrong in zip(choices, found, strict=False) if wrong
        ]
    assert not problems, "\n".join(problems)
    for name, complaint in LACKING.items():
        if name in choices and any(re.search(complaint, wrong) for wrong in tried(bench, {name: choices[name][0]})):
            del choices[name]
    apart = {name: choices.pop(name) for name in APART if name in choices}
    for name, own in apart.items():
        problems += [wrong for choice in own for wrong in tried(bench, {name: choice})]
    # All at once, as often as the longest list of choices asks for.
    for turn in range(max(map(len, choices.values()))):
        problems += tried(bench, {name: own[turn % len(own)] for name, own in choices.items()})
    assert not problems, "\n".join(dict.fromkeys(problems))
    assert len(choices) > 120


def test_what_the_table_refuses_the_server_refuses_too(bench: Bench) -> None:
    wrong = []
    with scratch(bench.binary.server) as server:
        for directive in bench.directives():
            if directive.name in (*BY_THE_START, *NOT_TRIED):
                continue
            for text in legal.illegal(directive):
                refused = values.problem(directive, values.lines(directive, [text])) is not None
                if directive.type != "string" and not refused:
                    wrong.append(f"{directive.name} {text!r}: the table takes it")
                if refused and not by_the_server(bench, server, directive, text) and not stricter(directive, text):
                    wrong.append(f"{directive.name} {text!r}: the server takes it, the table does not")
    assert not wrong, "\n".join(wrong)


def by_the_server(bench: Bench, server: Scratch, directive: Directive, text: str) -> bool:
    """Say whether a server refuses a value: a running one where it may be set live, else one that starts with it."""
    if directive.live != "config-set":
        try:
            with scratch(bench.binary.server, f"{directive.name} {quote(text)}\n"):
                return False
        except StartError:
            return True
    before = server.settings(directive.name)[directive.name]
    try:
        server.call("CONFIG", "SET", directive.name, text)
    except ReplyError:
        return True
    server.call("CONFIG", "SET", directive.name, before)
    return False


def stricter(directive: Directive, text: str) -> bool:
    """Say whether the table means to refuse what the server takes."""
    return any(re.fullmatch(name, directive.name) and re.fullmatch(texts, text) for name, texts, _ in legal.STRICTER)


@each_binary
def test_the_table_says_what_the_binary_says_of_itself(binary: Binary) -> None:
    answers = compare.survey(binary.server)
    found = [f"{difference.name}: {difference.text}" for difference in compare.differences(answers)]
    assert not found, "\n".join(found)
    assert (answers.engine, answers.version) == (binary.engine, binary.version)
    assert len(answers.directives) > 140


LINES = {
    "user": ("user watcher on >secret ~* +@all", ("ACL", "WHOAMI"), "default"),
    "rename-command": ("rename-command DBSIZE COUNT", ("COUNT",), 0),
    "include": ("include @folder@/more.conf", ("CONFIG", "GET", "timeout"), ["timeout", "77"]),
}
NO_LINES = {"loadmodule": "no package has a module", "sentinel": "for Sentinels alone"}


@each_binary
def test_what_only_a_file_can_say_is_in_effect(binary: Binary, tmp_path: Path) -> None:
    column = table.catalogue(binary.engine, binary.version)
    assert {each.name for each in column if each.file_only} - {"cluster-config-file"} == {*LINES, *NO_LINES}
    (tmp_path / "more.conf").write_text("timeout 77\n")
    lines = {name: parse_file(line.replace("@folder@", str(tmp_path)))[0] for name, (line, *_) in LINES.items()}
    with scratch(
        binary.server, rendered(binary, [Setting(name, (line.words,)) for name, line in lines.items()])
    ) as server:
        for name, (_, command, answer) in LINES.items():
            directive = column.find(name)
            assert directive is not None and values.problem(directive, (lines[name].words,)) is None
            assert server.call(*command) == answer
        assert server.call("AUTH", "watcher", "secret") == "OK"
        assert server.call("ACL", "WHOAMI") == "watcher"
        with pytest.raises(ReplyError, match="unknown command"):
            server.call("DBSIZE")
