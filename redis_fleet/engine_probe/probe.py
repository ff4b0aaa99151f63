"""What a real binary says of its own directives: names, defaults, what may be set live, and what it takes. No network.

What a value may be is learned from the complaints about values that cannot be right: they name choices and limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.protocol.resp import ReplyError, info
from redis_fleet.engine_probe.scratch import Scratch, StartError, scratch

# Settled by where and how the binary is started here, not by its version.
OF_THIS_START = {
    "dir": "the scratch folder",
    "port": "none, for there is no network",
    "unixsocket": "the way in",
    "maxclients": "lowered to what the limit of open files allows",
}
_NONSENSE = "?"
_FAR_AWAY = {"integer": ("-9223372036854775808",), "memory": ("0", "18446744073709551615")}
_KINDS = (
    ("integer", re.compile(r"couldn't be parsed into an integer")),
    ("memory", re.compile(r"must be a memory (?P<percent>or percent )?value")),
    ("octal", re.compile(r"couldn't be parsed as an octal number")),
    ("bool", re.compile(r"must be 'yes' or 'no'")),
    ("enum", re.compile(r"argument(\(s\))? must be one of the following: (?P<choices>[^'\"\n]+)")),
)
_TEXT = re.compile(rb"\0([a-z][a-z0-9_-]+)(?=\0)")
_LIMITS = re.compile(r"must be between (-?\d+) and (-?\d+)")


@dataclass(frozen=True)
class Shape:
    """What a directive takes, as far as complaints tell: the type's name in the table, choices, both limits or none."""

    type: str
    choices: tuple[str, ...] = ()
    limits: tuple[int, int] | None = None
    percent: bool = False


@dataclass(frozen=True)
class Answer:
    """What the binary says of one directive.

    ``text`` is what CONFIG GET answers on a start without settings. ``live`` says whether CONFIG SET takes that very
    value (``config-set``, ``protected``, ``restart``), None where it complained about something else. ``hidden``: only
    its full name gets an answer. ``shape`` is None where the complaint told nothing (or there was none, as for texts).
    """

    text: str
    live: str | None
    hidden: bool
    shape: Shape | None


@dataclass(frozen=True)
class Answers:
    """Everything that one binary knows; ``ignored`` are names that its file may hold and that mean nothing."""

    engine: str
    version: str
    directives: dict[str, Answer]
    ignored: tuple[str, ...]


def ask(executable: str | Path, ignorable: Iterable[str]) -> Answers:
    """Start a binary and ask it about everything that it knows, what it does not list included.

    ``ignorable`` are names that some version ignores. Raises StartError, or OSError when it cannot be executed.
    """
    with scratch(executable) as server:
        about = info(server.call("INFO", "server"))
        engine = "valkey" if "valkey_version" in about else "redis"
        listed = server.settings()
        hidden = {name: text for name in _texts(about) for text in server.settings(name).values() if name not in listed}
        found = {
            name: Answer(text, _live(server, name, text), name in hidden, _shape(_setting(server, name, text)))
            for name, text in {**listed, **hidden}.items()
        }
    for name, answer in found.items():
        if answer.live != "config-set" and name not in OF_THIS_START:
            found[name] = Answer(answer.text, answer.live, answer.hidden, _shape(_starting(executable, name)))
    ignored = [name for name in ignorable if name not in found and _starting(executable, name)("1") == ""]
    return Answers(engine, about[f"{engine}_version"], found, tuple(ignored))


def _texts(about: Mapping[str, str]) -> Iterator[str]:
    """Yield every text in the program's file that could be a name: all hidden ones are among them."""
    program = Path(about["executable"]).read_bytes()
    return (text.decode() for text in sorted(set(_TEXT.findall(program))))


def _live(server: Scratch, name: str, text: str) -> str | None:
    complaint = _set(server, name, text)
    if not complaint:
        return "config-set"
    if "protected config" in complaint:
        return "protected"
    return "restart" if re.search("immutable|Unsupported CONFIG parameter", complaint) else None


def _set(server: Scratch, name: str, text: str) -> str:
    try:
        server.call("CONFIG", "SET", name, text)
    except ReplyError as error:
        return str(error)
    return ""


def _setting(server: Scratch, name: str, text: str) -> Callable[[str], str]:
    """Return a function that tries a value on the running server, puts the old one back and returns the complaint."""

    def attempt(value: str) -> str:
        complaint = _set(server, name, value)
        if not complaint:
            _set(server, name, text)
        return complaint

    return attempt


def _starting(executable: str | Path, name: str) -> Callable[[str], str]:
    """Return a function that starts the binary with a value in its file and returns the complaint."""

    def attempt(value: str) -> str:
        try:
            with scratch(executable, f"{name} {quote(value)}\n"):
                return ""
        except StartError as error:
            return str(error)

    return attempt


def _shape(attempt: Callable[[str], str]) -> Shape | None:
    complaint = attempt(_NONSENSE)
    for kind, pattern in _KINDS:
        found = pattern.search(complaint)
        if found:
            groups = found.groupdict()
            choices = tuple(sorted((groups.get("choices") or "").replace(",", " ").split()))
            return Shape(kind, choices, _limits(attempt, kind), bool(groups.get("percent")))
    return None


def _limits(attempt: Callable[[str], str], kind: str) -> tuple[int, int] | None:
    for value in _FAR_AWAY.get(kind, ()):
        found = _LIMITS.search(attempt(value))
        if found:
            return int(found[1]), int(found[2])
    return None
