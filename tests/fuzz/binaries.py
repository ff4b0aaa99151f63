"""What a real binary makes of single lines and of whole files, and what has to be left out of a start here."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.protocol.resp import ReplyError
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.check import DirectiveCheck
from redis_fleet.catalogue.table import Directive
from redis_fleet.engine_probe.scratch import Scratch, StartError, scratch
from redis_fleet.model import Fleet, Process, Setting, Words
from redis_fleet.render.files import configuration
from tests.harness.engines import Binary

# Left out of a start: whether these can be had depends on the machine, not on the version. Their lines are read all the
# same, see ``complaints``.
NOT_HERE: Mapping[str, str] = {
    "activedefrag": "depends on how the server was built, and no package of Debian was built for it",
    "aclfile": "the file must be there",
    "bind": "this machine must have the addresses",
    "bind-source-addr": "this machine must have the address",
    "cluster-enabled": "takes a port of its own, and excludes replicaof",
    "daemonize": "a process that leaves its parent is out of sight",
    "databases": "the server reserves room for each at once",
    "cluster-databases": "the server reserves room for each at once",
    "dir": "the folder must be there",
    "io-threads": "each is a thread at once",
    "loadmodule": "the file must be there, and be for this engine",
    "locale-collate": "this machine must have the locale",
    "logfile": "the folder must be there; what is logged is to be seen",
    "maxclients": "more than the limit of open files allows is lowered",
    "maxmemory-clients": "with little the server ends our connection",
    "pidfile": "the folder must be there",
    "port": "must be free",
    "rdma-bind": "no build here has RDMA",
    "rdma-port": "no build here has RDMA",
    "replicaof": "nobody is to be called",
    "supervised": "systemd must be listening",
    "syslog-enabled": "the log of this machine is not ours",
    "tls-ca-cert-dir": "the folder must be there",
    "tls-ca-cert-file": "the file must be there",
    "tls-cert-file": "the file must be there",
    "tls-ciphers": "what the TLS library knows",
    "tls-ciphersuites": "what the TLS library knows",
    "tls-client-cert-file": "the file must be there",
    "tls-client-key-file": "the file must be there",
    "tls-cluster": "wants certificates at once",
    "tls-dh-params-file": "the file must be there",
    "tls-key-file": "the file must be there",
    "tls-port": "must be free, and wants certificates",
    "tls-replication": "wants certificates at once",
    "unixsocket": "is our way in",
    "unixsocketgroup": "this machine must have the group",
    "unixsocketperm": "is for our way in",
    "watchdog-period": "kills what is slow, and everything is slow here",
}
# Left out even when a file is only read: these do what they say while they are read.
AT_ONCE = frozenset({"activedefrag", "dir", "logfile"})
# What not even a single start is good for.
NEVER_STARTED = frozenset(
    {"cluster-databases", "daemonize", "databases", "io-threads", "syslog-enabled", "watchdog-period"}
)
# What a running server is not told: it would end our connection, or look at this machine.
NOT_LIVE = frozenset({*NOT_HERE, "client-query-buffer-limit", "oom-score-adj", "oom-score-adj-values"})
_WRONG_IN_ONE_FILE = 60  # each costs a start that reads all those behind it
_ENDS = {"server": "port ends-here", "sentinel": "sentinel ends-here"}
_FATAL = re.compile(r"Reading the configuration file, at line (\d+)\n(?s:.*)\n(.+)\n*\Z")


def line(name: str, words: Words) -> str:
    """Return a line as a rendered file has it."""
    return " ".join((name, *map(quote, words)))


def complaints(binary: Binary, lines: Sequence[str], kind: str = "server") -> dict[int, str]:
    """Return what the binary says against lines while it reads them, by their index; the others it takes.

    A process ends at its first wrong line, so that one more is needed for each: a last line that is always wrong ends
    it before it opens anything.
    """
    found: dict[int, str] = {}
    begin = 0
    if kind == "sentinel":
        return _one_by_one(binary, lines)
    while True:
        said = _said(binary, [*lines[begin:], _ENDS[kind]], kind)
        match = _FATAL.search(said)
        assert match, f"{binary} neither took nor refused a line: {said[-2000:]}"
        number = begin + int(match[1]) - 1
        if number >= len(lines):
            return found
        found[number] = match[2].strip()
        begin = number + 1


def _one_by_one(binary: Binary, lines: Sequence[str]) -> dict[int, str]:
    """Return the complaints of a Sentinel, which reads its own lines last and needs the others for it."""
    found: dict[int, str] = {}
    given = list(lines)
    while True:
        said = _said(binary, [*given, _ENDS["sentinel"]], "sentinel")
        match = _FATAL.search(said)
        assert match, f"{binary} neither took nor refused a line: {said[-2000:]}"
        number = int(match[1]) - 1
        if number >= len(given):
            return found
        found[number] = match[2].strip()
        given[number] = ""


class Tried(Protocol):
    """A directive with the lines of one value: ``written`` for a file, ``lines`` in words."""

    @property
    def written(self) -> list[str]: ...
    @property
    def lines(self) -> Sequence[Words]: ...
    @property
    def directive(self) -> Directive: ...
    @property
    def said(self) -> DirectiveCheck: ...


def refused(binary: Binary, cells: Sequence[Tried], head: str = "") -> set[int]:
    """Return which cells a binary refuses; ``head`` is the line that a Sentinel's others need, none for a server.

    What ``check`` takes is read from files; so is the rest, but for what a running server can be told in its place:
    it reads such a value with the same function.
    """
    found = set()
    asked = []
    with scratch(binary.server) as server:
        for number, cell in enumerate(cells):
            if head or not cell.said.what or not _settable(cell):
                asked.append(number)
            elif not _set(server, cell):
                found.add(number)
    asked.sort(key=lambda number: bool(cells[number].said.what))
    for group in _groups(cells, asked):
        lines = [(number, text) for number in group for text in cells[number].written]
        texts = [*filter(None, [head]), *(text for _, text in lines)]
        kind = "sentinel" if head else "server"
        found |= {lines[at - bool(head)][0] for at in complaints(binary, texts, kind)}
    return found


def _groups(cells: Sequence[Tried], numbers: Iterable[int]) -> Iterator[list[int]]:
    """Yield numbers whose lines stand in one file: few wrong ones, and none that is one too many beside another."""
    group: list[int] = []
    wrong = 0
    for number in numbers:
        if cells[number].directive.type in ("user", "rename"):
            yield [number]
            continue
        group.append(number)
        wrong += bool(cells[number].said.what)
        if wrong == _WRONG_IN_ONE_FILE:
            yield group
            group, wrong = [], 0
    if group:
        yield group


def _settable(cell: Tried) -> bool:
    directive = cell.directive
    alone = len(cell.lines) == 1 and len(cell.lines[0]) == 1
    return alone and directive.live == "config-set" and not directive.many_words and directive.name not in NOT_LIVE


def _set(server: Scratch, cell: Tried) -> bool:
    """Say whether a running server takes a value; the one before is put back."""
    name = cell.directive.name
    before = server.settings(name)[name]
    try:
        server.call("CONFIG", "SET", name, cell.lines[0][0])
    except ReplyError:
        return False
    server.call("CONFIG", "SET", name, before)
    return True


def _said(binary: Binary, lines: Sequence[str], kind: str) -> str:
    with tempfile.TemporaryDirectory(prefix="redis-fleet-") as folder:
        file = Path(folder) / "conf"
        file.write_bytes("\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
        program = binary.sentinel if kind == "sentinel" else binary.server
        command = [str(program), str(file), *(["--sentinel"] if kind == "sentinel" else [])]
        ended = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    return (ended.stdout + ended.stderr).decode("utf-8", "replace")


def taken_as_written(binary: Binary, directive: Directive, lines: Sequence[Words]) -> bool:
    """Say whether the binary starts with one directive, and answers what was written and nothing else."""
    if directive.name in NEVER_STARTED:
        return False
    text = "\n".join(line(directive.name, words) for words in lines)
    try:
        with scratch(binary.server, text) as server:
            answer = "" if directive.file_only else server.settings(directive.name).get(directive.name, "")
    except StartError:
        return False
    meant = " ".join(word for words in lines for word in words)
    return directive.file_only or answer.lower() == meant.lower()


def startable(fleet: Fleet, process: Process) -> str:
    """Return the text that the project writes, without what cannot be had here."""
    kept = tuple(setting for setting in process.settings if setting.name not in NOT_HERE)
    return configuration(fleet, replace(process, settings=kept))


def otherwise(binary: Binary, server: Scratch, setting: Setting) -> str:
    """Return how CONFIG GET differs from what was written, or nothing."""
    directive = table.catalogue(binary.engine, binary.version).find(setting.name)
    assert directive, setting.name
    if directive.file_only or setting.name in NOT_HERE:
        return ""
    answers = server.settings(directive.name)
    answer = answers.get(directive.name)
    expected = values.canonical(directive, setting.reveal())
    if answer is not None and values.canonical(directive, answer) == expected:
        return ""
    return f"{directive.name} {expected!r}: CONFIG GET answers {answer!r}"
