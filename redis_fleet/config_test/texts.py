"""Which texts are tried: each once, however many processes it stands for, and without their passwords. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from redis_fleet import kinds
from redis_fleet.agent.messages.config_test import ConfigTest, ConfigText
from redis_fleet.certificates.authority import Pair, found, issue
from redis_fleet.model import Fleet, Process, Setting, Words
from redis_fleet.platform import installation
from redis_fleet.render.files import configuration

# What a test replaces, so that it makes no text another one; and a Sentinel's notes about the others.
_REPLACED = frozenset(
    {"port", "tls-port", "bind", "dir", "logfile", "pidfile", "unixsocket", "daemonize", "supervised"}
    | {"sentinel myid", "sentinel known-replica", "sentinel known-sentinel"}
)
_ADDRESSED = frozenset({"replicaof", "sentinel monitor"})
# Without the real one a key cannot be read, and that would look like a fault of the description.
_NEEDED = frozenset({"tls-key-file-pass", "tls-client-key-file-pass"})
_SIGNS = (">", "<", "#", "!")
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_LETTERS = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True)
class Candidate:
    """A text to be tried, and the processes that it stands for; it is the first one's, with dummies for passwords.

    ``unstarted`` are the numbers of lines that the server only reads.
    """

    processes: tuple[Process, ...]
    text: str
    unstarted: tuple[int, ...] = ()

    @property
    def process(self) -> Process:
        """The process whose text it is."""
        return self.processes[0]


def candidates(fleet: Fleet, processes: Iterable[Process]) -> list[Candidate]:
    """Return the distinct texts of some processes: those that differ in more than addresses, names and passwords."""
    alike: dict[object, list[Process]] = {}
    for process in processes:
        alike.setdefault(_key(process), []).append(process)
    return [Candidate(tuple(each), configuration(fleet, blind(each[0]))) for each in alike.values()]


def request(fleet: Fleet, found: Iterable[Candidate], binary: str = "", seconds: float = 10.0) -> ConfigTest:
    """Return the request for some texts; by that binary, else by the one of the machine."""
    engine = installation(fleet.engine)
    server = binary or (fleet.sandbox.server if fleet.sandbox else "")
    wanted = tuple(
        ConfigText(
            name=each.process.name,
            binary=server or engine.binaries[kinds.of(each.process).binary],
            kind=kinds.of(each.process).machine,
            user="" if server else engine.user,
            text=each.text,
            unstarted=each.unstarted,
            files=stand_ins(each.process),
        )
        for each in found
    )
    return ConfigTest(wanted, seconds)


def stand_ins(process: Process) -> dict[str, str]:
    """Return what is tried in the place of certificates that a deployment puts, by their paths: a pair of nobody."""
    own = process.tls
    if own is None:
        return {}
    authority, pair = _nobody()
    return {own.certificate: pair.certificate, own.key: pair.key.reveal(), own.authorities: authority.certificate}


@cache
def _nobody() -> tuple[Pair, Pair]:
    authority = found("nobody")
    return authority, issue(authority, "nobody", ())


def planned(fleet: Fleet, machine: str, steps: Iterable[Mapping[str, Any]]) -> list[Process]:
    """Return the processes of a machine that a plan's steps start, restart or change."""
    named = {
        step["process"] for step in steps if step["machine"] == machine and step["how"] in ("START", "LIVE", "RESTART")
    }
    return [process for process in fleet.on(machine) if process.name in named]


def blind(process: Process) -> Process:
    """Return a process with dummies for its secrets: as long as they are, equal where they are equal."""
    dummies: dict[str, str] = {}
    return replace(process, settings=tuple(_blind(each, dummies) for each in process.settings))


def _blind(setting: Setting, dummies: dict[str, str]) -> Setting:
    if not setting.secret or setting.name in _NEEDED:
        return setting
    return replace(setting, held=tuple(_blind_words(setting.name, words, dummies) for words in setting.reveal()))


def _blind_words(name: str, words: Words, dummies: dict[str, str]) -> Words:
    if name == "user":
        # The server's complaints about the rules shall name them.
        return tuple(word[0] + _dummy(word[1:], dummies) if word.startswith(_SIGNS) else word for word in words)
    return (*words[:-1], _dummy(words[-1], dummies)) if words else words


def _dummy(word: str, dummies: dict[str, str]) -> str:
    if word not in dummies:
        dummy = plain = "0" * 64 if _HASH.match(word) else _LETTERS.sub("x", word)
        number = 0
        while dummy in dummies.values() and number < 10 ** len(word) - 1:
            number += 1
            dummy = plain[: -len(str(number))] + str(number)
        dummies[word] = dummy
    return dummies[word]


def _key(process: Process) -> object:
    """Return what is the same for processes of which one test is enough.

    A replica's text has a line more than its master's: one of each is tried.
    """
    return process.kind, tuple((each.name, _compared(process, each)) for each in blind(process).settings)


def _compared(process: Process, setting: Setting) -> tuple[Words, ...]:
    if setting.name in _REPLACED:
        return ()
    if setting.name in _ADDRESSED:
        # Of "sentinel monitor" the name and the quorum count.
        return tuple((words[0], words[-1]) for words in setting.reveal() if len(words) > 2)
    return tuple(_anonymous(process, words) for words in setting.reveal())


def _anonymous(process: Process, words: Words) -> Words:
    """Return words without the process's own name and addresses."""
    address, port = process.endpoint.address, process.endpoint.port
    # Without a port a 0 is a value like any other.
    own = {process.machine, str(port)} if port else {process.machine}
    here = f"/{process.machine}/"  # in a sandbox
    plain = (word.replace(process.name, "\1").replace(address, "\2").replace(here, "/\0/") for word in words)
    return tuple("\0" if word in own else less for word, less in zip(words, plain, strict=True))
