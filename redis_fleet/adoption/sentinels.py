"""A Sentinel's statements: whom it watches and how, its own settings, and what it has learned about the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from redis_fleet.adoption import servers
from redis_fleet.adoption.found import Found, Refusals, RefusedError, Statement
from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.texts import Hidden, Text, Value, of_words, plain
from redis_fleet.adoption.without_port import refuse_for_sentinel
from redis_fleet.agent.secret import Secret
from redis_fleet.catalogue import sentinel as table
from redis_fleet.catalogue import values
from redis_fleet.model import Words
from redis_fleet.problems import Position

Place = tuple[str, int]


@dataclass(frozen=True)
class Monitor:
    """A master that a Sentinel watches: its name, where it is, the quorum, its settings and whom Sentinel knows.

    ``options`` are the ``sentinel NAME MASTER ...`` lines by name, without state; ``known`` are replicas, ``fellows``
    other Sentinels by their id.
    """

    name: str
    master: Place
    quorum: int
    statement: Statement
    options: Mapping[str, Value] = field(default_factory=dict)
    known: tuple[Place, ...] = ()
    fellows: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Sentinel:
    """One Sentinel: ``own`` is what it shares with a server (port, bind, password, ordinary directives)."""

    own: servers.Server
    settings: Mapping[str, Value]
    monitors: Mapping[str, Monitor]
    myid: str = ""

    @property
    def found(self) -> Found:
        """The process."""
        return self.own.found


def sentinel(found: Found, knowledge: Knowledge, notes: Notes) -> Sentinel:
    """Read a Sentinel's statements; raises RefusedError for what Sentinel would not start with."""
    lines = [each for each in found.statements if each.name == "sentinel" and each.words]
    others = tuple(each for each in found.statements if each.name != "sentinel")
    refusals = Refusals()
    with refusals.gathering():
        refuse_for_sentinel(next((each for each in reversed(others) if each.name == "port"), None))
        # It reads all lines of a server, and ends at one that is wrong, though most mean nothing to it (measured).
        servers.server(_only(found, others), knowledge, Notes())
    reader = _Reader(knowledge, notes)
    # From 6.2 on the lines of monitors are read first, wherever they stand (sentinel.c:loadSentinelConfigFromQueue).
    in_order = (knowledge.version or "").startswith("6.0")
    for each in sorted(lines, key=lambda line: not in_order and line.words[0].lower() != "monitor"):
        with refusals.gathering():
            reader.take(each)
    refusals.end()
    reader.say_what_is_its_own()
    own = servers.server(_only(found, _ordinary(others, knowledge, notes)), knowledge, notes)
    port = own.port if "port" in own.statements else 26379
    return Sentinel(_with_port(own, found, port), reader.settings, reader.monitors(), reader.myid)


def _with_port(own: servers.Server, found: Found, port: int) -> servers.Server:
    return servers.Server(found, port, own.bind, own.password, own.upstream, own.follows, own.values, own.statements)


def _only(found: Found, statements: tuple[Statement, ...]) -> Found:
    return Found(found.machine, found.kind, found.engine, found.configuration, statements, found.address)


def _ordinary(statements: tuple[Statement, ...], knowledge: Knowledge, notes: Notes) -> tuple[Statement, ...]:
    """Return the redis.conf directives that mean something to a Sentinel; it reads the others and does nothing."""
    kept = []
    for each in statements:
        names = {name for one in knowledge.catalogues for name in table.ordinary(knowledge.engine, one.version)}
        if knowledge.knowing(each.name) and {each.name, knowledge.key(each.name), knowledge.written(each.name)} & names:
            kept.append(each)
        else:
            notes.add(each, f"{each.name} does nothing in a Sentinel; left out")
    return tuple(kept)


@dataclass
class _Reader:
    knowledge: Knowledge
    notes: Notes
    settings: dict[str, Value] = field(default_factory=dict)
    myid: str = ""
    _monitors: dict[str, Monitor] = field(default_factory=dict)
    _lines: dict[tuple[str, str], list[tuple[Statement, Words]]] = field(default_factory=dict)
    _known: dict[str, list[Place]] = field(default_factory=dict)
    _fellows: dict[str, dict[str, Place]] = field(default_factory=dict)
    _state: list[Statement] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)

    def monitors(self) -> dict[str, Monitor]:
        """Return all monitors with their settings and what Sentinel knows of them."""
        made = {}
        for name, each in self._monitors.items():
            options = {option: value for (master, option), value in self._values().items() if master == name}
            known = tuple(dict.fromkeys(self._known.get(name, ())))
            fellows = self._fellows.get(name, {})
            made[name] = Monitor(name, each.master, each.quorum, each.statement, options, known, fellows)
        return made

    def take(self, line: Statement) -> None:
        """Take one ``sentinel ...`` line."""
        name, words = line.words[0].lower(), line.words[1:]
        directive = self._directive(line, name)
        if name == "monitor":
            self._monitor(line, words)
            return
        if directive.scope == "master":
            if words and words[0] in self._refused - set(self._monitors):
                return  # its monitor line is wrong, which is told already
            if not words or words[0] not in self._monitors:
                self._refuse(line, f"sentinel {name} names a master that no 'sentinel monitor' line names")
            if directive.state:
                self._remember(name, words)
        if directive.state:
            self._state.append(line)
            if name == "myid" and words:
                self.myid = words[0]
            return
        master = words[0] if directive.scope == "master" else ""
        own = words[1:] if master else words
        if (name, own) == ("parallel-syncs", ("0",)):
            what = "has no replica follow a new master until failover-timeout is over"
            self.notes.add(line, f"sentinel parallel-syncs {master} 0 {what}; described as 1")
            own = ("1",)
        problem = table.problem(directive, (own,))
        if problem:
            self._refuse(line, f"sentinel {name}: {problem}; Sentinel does not start with it")
        self._put(line, directive, master, own)

    def say_what_is_its_own(self) -> None:
        """Tell which lines are Sentinel's memory: they say who is there, and are written by nobody else."""
        if self._state:
            names = ", ".join(dict.fromkeys(each.words[0].lower() for each in self._state))
            numbers = ", ".join(str(each.position.line) for each in sorted(self._state, key=lambda x: x.position))
            text = f"sentinel {names} (line {numbers}) are Sentinel's own memory: the description has nothing of them"
            self.notes.add(Position(self._state[0].position.file), f"{text} but who takes part")

    def _directive(self, line: Statement, name: str) -> table.SentinelDirective:
        engine = self.knowledge.engine
        for each in self.knowledge.catalogues:
            found = table.find(engine, each.version, name)
            if found:
                return found
        raise RefusedError(line.position, f"'sentinel {name}' is not a statement of {engine} Sentinel")

    def _refuse(self, line: Statement, what: str) -> None:
        raise RefusedError(line.position, what)

    def _monitor(self, line: Statement, words: Words) -> None:
        if len(words) != 4 or not words[2].isdecimal() or not words[3].isdecimal() or int(words[3]) < 1:
            self._refused |= set(words[:1])
            self._refuse(line, "sentinel monitor takes a name, an address, a port and a quorum of 1 or more")
        name, address, port, quorum = words
        if name in self._monitors:
            self._refuse(line, f"sentinel monitor {name} stands here a second time; Sentinel does not start with it")
        self._monitors[name] = Monitor(name, (address, int(port)), int(quorum), line)

    def _remember(self, name: str, words: Words) -> None:
        master, *rest = words
        if name in ("known-replica", "known-slave") and len(rest) == 2 and rest[1].isdecimal():
            self._known.setdefault(master, []).append((rest[0], int(rest[1])))
        if name == "known-sentinel" and len(rest) == 3 and rest[1].isdecimal():
            self._fellows.setdefault(master, {})[rest[2]] = (rest[0], int(rest[1]))

    def _put(self, line: Statement, directive: table.SentinelDirective, master: str, words: Words) -> None:
        if master:
            self._lines.setdefault((master, directive.name), []).append((line, words))
            return
        earlier = self.settings.get(directive.name)
        made = _value(directive, line, [words])
        if earlier and earlier.form != made.form:
            text = f"this sentinel {directive.name} has no effect: line {line.position.line} sets it again; left out"
            self.notes.add(earlier.position, text)
        self.settings[directive.name] = made

    def _values(self) -> dict[tuple[str, str], Value]:
        made = {}
        for (master, name), lines in self._lines.items():
            directive = self._directive(lines[-1][0], name)
            if not directive.value.repeatable:
                for line, words in lines[:-1]:
                    if words != lines[-1][1]:
                        later = lines[-1][0].position.line
                        text = f"this sentinel {name} {master} has no effect: line {later} sets it again; left out"
                        self.notes.add(line, text)
            own = lines if directive.value.repeatable else lines[-1:]
            made[master, name] = _value(directive, lines[-1][0], [words for _, words in own])
        return made


def _value(directive: table.SentinelDirective, line: Statement, lines: list[Words]) -> Value:
    form = values.canonical(directive.value, tuple(lines))
    texts = plain(*map(of_words, lines))
    if directive.value.sensitive:
        texts = (Text((Hidden(directive.name, Secret(lines[-1][0]), line.position),)),)
    return Value(directive.name, directive.name, texts, form, line.position)
