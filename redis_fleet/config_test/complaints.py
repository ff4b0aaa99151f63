"""What a server said against a text, turned into problems of the description. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from redis_fleet import kinds
from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.messages.config_test import SAYS_NOTHING, ConfigTested
from redis_fleet.config_test.texts import Candidate, blind
from redis_fleet.description.nodes import Path, dotted
from redis_fleet.model import Process, Setting
from redis_fleet.problems import Position, Problem

Places = Callable[[Path], Position]
"""Returns where a path of the description stands, or the nearest thing around it that does."""
# Complaints that neither name the directive nor repeat its value.
_ABOUT = (
    (re.compile(r"\bLOCALE\b"), ("locale-collate",)),
    (re.compile(r"ACL|users defined in"), ("aclfile", "user")),
    (re.compile(r"TLS|certificate|private key|tls-"), ("tls-cert-file", "tls-ca-cert-file", "tls-port")),
    (re.compile(r"ulimit|max number of clients"), ("maxclients",)),
)
# Where the description says what redis-fleet writes under these names.
_OWN_KEYS = {
    "requirepass": "password",
    "masterauth": "password",
    "sentinel auth-pass": "password",
    "bind": "bind",
    "port": "port",
    "replicaof": "replicas",
}
_SHORTEST = 3


class CandidateTested(NamedTuple):
    """One text that was tried: where (a machine's name; empty for here), and what came of it."""

    candidate: Candidate
    machine: str
    answer: ConfigTested


def setting_at(process: Process, text: str, number: int) -> Setting | None:
    """Return the setting whose line in a rendered text has this number (from 1); None for a comment or a blank line."""
    lines = text.split("\n")
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    written = {
        " ".join((setting.name, *map(quote, words))): setting
        for setting in process.settings
        for words in setting.reveal() or (("",),)
    }
    return written.get(line)


def problems(findings: Iterable[CandidateTested], places: Places) -> list[Problem]:
    """Return one problem for each thing that is wrong, whatever the number of machines that say so."""
    told: dict[tuple[Position, str, str, str, str], list[str]] = {}
    for finding in findings:
        for key in _complaints(finding, places):
            told.setdefault(key, []).append(finding.machine)
    return sorted(
        Problem(position, path, f"{version}{_on(machines)} {said}", remedy)
        for (position, path, version, said, remedy), machines in told.items()
    )


def _complaints(finding: CandidateTested, places: Places) -> Iterator[tuple[Position, str, str, str, str]]:
    candidate, version = finding.candidate, finding.answer.version
    text = candidate.text
    for complaint in finding.answer.complaints:
        process, said = blind(candidate.process), complaint.said.rstrip(".;")
        if complaint.code == SAYS_NOTHING:
            position, path = _place(candidate.process, None, places)
            what = f"was tried with the file of {candidate.process.name}: {said}"
            yield position, path, version, what, "run again, and see what that binary does with it if it stays so"
            continue
        setting = setting_at(process, text, complaint.line) or (None if complaint.line else _about(process, said))
        position, path = _place(process, setting, places)
        if setting and setting.position:
            yield position, path, version, f"refuses it: {said}", "correct the value"
        else:
            what = f"refuses the line '{setting.name}' of {process.name}" if setting else f"refuses {process.name}"
            yield position, path, version, f"{what}: {said}", "correct what it comes from"


def _place(process: Process, setting: Setting | None, places: Places) -> tuple[Position, str]:
    section = kinds.of(process).section(process)
    if setting and setting.position:
        return setting.position, dotted((*section, "config", setting.name.removeprefix("sentinel ")))
    if setting and setting.name == "sentinel auth-pass":
        # Which service's it is the complaint does not say; its section is the Sentinels' all the same.
        return places(section), dotted(section)
    key = _OWN_KEYS.get(setting.name) if setting else None
    path = (*section, key) if key else section
    return places(path), dotted(path if key and places(path) != places(section) else section)


def _about(process: Process, said: str) -> Setting | None:
    """Return the setting that a complaint without a line is about: by a value, a name, or what such complaints mean."""
    described = [setting for setting in process.settings if setting.position]
    values = {
        word: setting
        for setting in reversed(described)  # of two with one value the first
        for words in setting.reveal()
        for word in words
        if len(word) >= _SHORTEST and word != "yes" and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said)
    }
    if values:
        return values[max(values, key=len)]
    for setting in described:
        if setting.name.removeprefix("sentinel ") in said:
            return setting
    names = [name for pattern, candidates in _ABOUT if pattern.search(said) for name in candidates]
    return next((found for name in names if (found := process.setting(name)) and found.position), None)


def _on(machines: Iterable[str]) -> str:
    *some, last = dict.fromkeys(machines) or [""]
    if not last:
        return ""
    return f" on {', '.join(some)} and {last}" if some else f" on {last}"
