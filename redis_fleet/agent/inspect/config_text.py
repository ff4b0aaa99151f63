"""What a configuration becomes for a test: every line keeps its number. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from ..conf.text import Line, parse_file, quote
from ..login import is_secret
from ..messages.kind import Kind
from ..secret import MASK

# Whoever is reached through these must not notice a trial; reading them was the first look's work.
_OUTWARD = frozenset({"replicaof", "slaveof", "sentinel", "cluster-enabled"})
_ALWAYS = (
    "port 0",
    "unixsocket socket",
    "unixsocketperm 700",
    "daemonize no",
    "supervised no",
    "pidfile pid",
    "syslog-enabled no",
    "loglevel notice",
)
# Put last only where the text has the directive: other versions do not know it.
_WHERE_NAMED = {
    "tls-port": "tls-port 0",
    "rdma-port": "rdma-port 0",
    "log-format": "log-format legacy",
    "log-timestamp-format": "log-timestamp-format legacy",
}
_PLAIN_RULES = re.compile(r"[+\-~%&@(]|(on|off|allkeys|resetkeys|allchannels|resetchannels)$|(all|no)commands$|reset$")
_SHORTEST = 4


def readable(text: str, kind: Kind, folder: str) -> tuple[str, int]:
    """Return the text to be read, and the number of its last line, which no server takes."""
    ended = "\n".join([*_elsewhere(text, folder).split("\n"), kind.refused_line, ""])
    return ended, ended.count("\n")


def startable(text: str, folder: str, unstarted: Container[int] = ()) -> str:
    """Return the text to be started: what reaches others is gone, the rest stands at the end, where the last one wins.

    ``unstarted`` are the numbers of further lines that are to be read only.
    Certificates are looked at when the server starts if anything uses TLS: without a port that has to be replication.
    """
    lines = _directives(text)
    gone = {line.number for line in lines if line.name in _OUTWARD or line.number in unstarted}
    named = {line.name: line.words for line in lines if line.number not in gone}
    ended = _elsewhere(in_place(text, dict.fromkeys(gone, "")), folder)
    last = [*_ALWAYS, *(end for name, end in _WHERE_NAMED.items() if name in named)]
    if named.get("tls-port", ("0",)) != ("0",):
        last.append("tls-replication yes")
    return "\n".join([*ended.split("\n"), *last, ""])


def in_place(text: str, replaced: Mapping[int, str]) -> str:
    """Return the text with other lines at these numbers (from 1)."""
    return "\n".join(replaced.get(number, line) for number, line in enumerate(text.split("\n"), start=1))


def masked(said: str, text: str) -> str:
    """Return what a server said without anything secret of the text.

    Of an ACL line only rules and the user's name stay: what lacks the sign of a password may still be one.
    """
    for line in _directives(text):
        if not is_secret(line.name, line.words):
            continue
        words = line.words[1:] if line.name == "user" else line.words[-1:]
        hidden = [word for word in words if not (line.name == "user" and _PLAIN_RULES.match(word))]
        for word in filter(None, (each.lstrip("><#!") for each in hidden)):
            if len(word) >= _SHORTEST or line.name == "user":
                said = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MASK, said)
    return said


def _elsewhere(text: str, folder: str) -> str:
    """Return the text with its folder and log elsewhere: a server enters and opens these while it reads them."""
    lines = {"dir": f"dir {quote(folder)}", "logfile": 'logfile ""'}
    return in_place(text, {line.number: lines[line.name] for line in _directives(text) if line.name in lines})


def _directives(text: str) -> list[Line]:
    """Return the directives; of a text with a line that nobody can read those of all other lines."""
    found = []
    for number, raw in enumerate(text.split("\n"), start=1):
        try:
            found += [line._replace(number=number) for line in parse_file(raw)]
        except ValueError:
            continue
    return found
