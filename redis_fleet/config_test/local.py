"""Tests of files on this machine, for ``check``: by the version that the description asks for, where it is at hand."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from redis_fleet import kinds
from redis_fleet.agent.conf.text import Line, parse_file
from redis_fleet.agent.host import memory
from redis_fleet.agent.inspect.config_test import program, run_tests
from redis_fleet.agent.inspect.config_text import in_place
from redis_fleet.catalogue import table
from redis_fleet.config_test.complaints import CandidateTested, problems
from redis_fleet.config_test.texts import Candidate, blind, candidates, request, stand_ins
from redis_fleet.description.load import load
from redis_fleet.model import Fleet, Process, Setting
from redis_fleet.problems import Position, Problem
from redis_fleet.render.files import configuration
from redis_fleet.settings.shares import with_memory

# Directives with a file of the machine that it is for: whether it is there, and what is in it, cannot be known here.
_SCRIPTS = frozenset({"notification-script", "client-reconfig-script"})
_FILES = _SCRIPTS | frozenset(
    {"aclfile", "loadmodule", "tls-cert-file", "tls-key-file", "tls-ca-cert-file", "tls-ca-cert-dir"}
    | {"tls-client-cert-file", "tls-client-key-file", "tls-dh-params-file"}
)
_TLS_IN_USE = frozenset({"tls-port", "tls-replication", "tls-cluster"})
_PATIENCE = 2.0


@dataclass(frozen=True)
class Asked:
    """What came of it: the problems, and in words who was asked about what, or why nobody was."""

    problems: tuple[Problem, ...]
    said: str


def tested(fleet: Fleet, binary: str = "", doing: Callable[[str], None] = lambda _: None) -> Asked:
    """Start each distinct file of a fleet with this binary; without one with the server of its engine on PATH.

    A share of a memory that the file does not tell is tried as one of this machine's.
    That must be of the described version (the same first two numbers). Where none is described, nothing counts that
    another version may take: what is known of this one already. ``doing`` is told what goes on if it takes a while.
    """
    server = _found(binary or f"{fleet.engine}-server") or binary
    if not server:
        return Asked((), f"no binary was asked: there is no {fleet.engine}-server on PATH")
    name, wrong = program(server)
    if wrong and binary:
        remedy = "name a redis-server or valkey-server, or say --no-binary"
        return Asked((Problem(Position(fleet.source), "", f"{server} was asked: {wrong}", remedy),), "")
    if wrong:
        return Asked((), f"no binary was asked: {server}: {wrong}")
    if not binary and fleet.version and not table.same_release(fleet.version, name.rpartition(" ")[2]):
        return Asked((), f"no binary was asked: {server} is {name}, not {fleet.version}")
    here = memory.usable()
    fleet = with_memory(fleet, lambda _: here)
    found = [_here(each) for each in _askable(fleet, name, every=bool(binary or fleet.version))]
    begun, told = time.monotonic(), [f"asking {name} about {len(found)} files"]

    def tick() -> None:
        if told and time.monotonic() - begun > _PATIENCE:
            doing(told.pop())

    answers = run_tests(request(fleet, (each for each, _ in found), server), tick).results
    findings = [CandidateTested(each, "", answer) for (each, _), answer in zip(found, answers, strict=True)]
    wrongs: list[Problem] = []
    if any(each.answer.complaints for each in findings):
        wrongs = problems(findings, load(fleet.source).document.position)
    return Asked(tuple(wrongs), f"{name} was asked{_but(name for _, names in found for name in names)}")


def _found(binary: str) -> str | None:
    """Return where a program is, said from the root: it is started in other folders than this one."""
    return str(Path(binary).absolute()) if "/" in binary else shutil.which(binary)


def _but(names: Iterable[str]) -> str:
    left = ", ".join(dict.fromkeys(names))
    return f", though not about what only the machines have: {left}" if left else ""


def _askable(fleet: Fleet, name: str, *, every: bool) -> Iterable[Candidate]:
    """Yield the texts; without ``every`` without the settings that this version is known not to take."""
    engine, _, version = name.rpartition(" ")
    for each in candidates(fleet, fleet.processes):
        if every or engine not in ("redis", "valkey"):
            yield each
            continue
        kept = tuple(setting for setting in each.process.settings if _takes(engine, version, each.process, setting))
        process = replace(each.process, settings=kept)
        yield Candidate((process, *each.processes[1:]), configuration(fleet, blind(process)))


def _takes(engine: str, version: str, process: Process, setting: Setting) -> bool:
    if not setting.position:
        return True
    return kinds.of(process).takes(engine, version, setting)


def _here(candidate: Candidate) -> tuple[Candidate, list[str]]:
    """Return what of a text can be tried here, line for line, and the names of the directives that cannot."""
    lines = parse_file(candidate.text)
    there = stand_ins(candidate.process)
    absent = {line.number: name for line in lines if (name := _absent(line)) and line.words[0] not in there}
    if not absent:
        return candidate, []
    names = list(absent.values())
    # A script is looked for while its line is read, everything else when the server starts.
    scripts = dict.fromkeys((number for number, name in absent.items() if name in _SCRIPTS), "")
    unstarted = set(absent)
    if any(name.startswith("tls-") for name in names):
        # Certificates are read as soon as anything uses them.
        unstarted |= {line.number for line in lines if line.name in _TLS_IN_USE}
    if "loadmodule" in names:
        # Users may be given a module's commands.
        unstarted |= {line.number for line in lines if line.name == "user"}
        # A server without the module ends at its lines.
        unstarted |= {line.number for line in lines if not table.known_in(line.name)}
    text = in_place(candidate.text, scripts)
    return replace(candidate, text=text, unstarted=tuple(sorted(unstarted))), names


def _absent(line: Line) -> str:
    """Return the name of the directive on a line when that names a file which cannot be used here."""
    name, words = (line.words[0].lower(), line.words[2:]) if line.name == "sentinel" else (line.name, line.words)
    if name not in _FILES or not words or not words[0]:
        return ""
    return "" if os.access(words[0], os.X_OK if name in _SCRIPTS else os.R_OK) else name
