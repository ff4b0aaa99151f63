"""From what was discovered on machines to the processes that were found; running values win over their files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from redis_fleet.adoption.found import Found, RefusedError, Statement
from redis_fleet.adoption.paths import Survey
from redis_fleet.adoption.reading import read, reads_patterns
from redis_fleet.agent.messages.discovery import Discovered, DiscoveredProcess
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.check import BY_UNIT
from redis_fleet.catalogue.table import Catalogue, Directive
from redis_fleet.description.members import is_address
from redis_fleet.description.schema import NAME
from redis_fleet.model import Words
from redis_fleet.problems import Position

_HOST = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^\]]+\]|[^:@\s]+)(?::(?P<port>\d+))?\Z")


@dataclass(frozen=True)
class Host:
    """A machine to ask: how it was named, and the Ansible variables that reach it."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> str:
        """The name or address that it is reached by."""
        return self.variables["ansible_host"]


def host(text: str) -> Host:
    """Read ``[USER@]NAME[:PORT]``; raises ValueError."""
    match = _HOST.match(text)
    if match is None:
        raise ValueError(f"'{text}' is not a host; write it as user@machine, or user@machine:port for another ssh port")
    where = match["host"].strip("[]")
    variables = {"ansible_host": where}
    if match["user"]:
        variables["ansible_user"] = match["user"]
    if match["port"]:
        variables["ansible_port"] = match["port"]
    name = where if re.match(NAME, where) and not is_address(where) else ""
    return Host(name, variables)


def processes(answers: Sequence[tuple[Host, Discovered]], folder: Path) -> Survey:
    """Return the processes of all machines; ``folder`` is private, and gets a copy of the files, each machine its own.

    Raises RefusedError for a file that its server would not start with again.
    """
    found: list[Found] = []
    notes: list[str] = []
    copies: list[tuple[str, str]] = []
    for machine, answer in answers:
        name = machine.name or _short(answer.hostname)
        root = folder / name
        for process in answer.processes:
            made, said = _process(machine, name, answer, process, root)
            notes += said
            found += made
        notes += [f"{name}: {other}" for other in answer.others]
        if not answer.processes:
            notes.append(f"{name}: no redis or valkey runs there; what is stopped is not seen")
        copies.append((f"{root}/", f"{name}:/"))
    return Survey(tuple(found), tuple(notes), tuple(copies))


def _process(
    machine: Host, name: str, answer: Discovered, process: DiscoveredProcess, root: Path
) -> tuple[list[Found], list[str]]:
    label = f"{name}: {process.engine} {process.kind} (pid {process.pid})"
    if not process.texts:
        why = "has no configuration file" if not process.configuration else "has a file that cannot be read"
        return [], [f"{label} {why}; give it one, or leave it out"]
    for path, text in process.texts.items():
        copy = root / path.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
    main = root / process.configuration.lstrip("/")
    patterns = reads_patterns(process.engine, process.version)
    reading = read(main, root / process.directory.lstrip("/"), root, patterns=patterns)
    statements, notes = list(reading.statements), list(reading.notes)
    if process.running is not None:
        catalogue = table.catalogue(process.engine, process.version or table.versions(process.engine)[-1])
        drift = list(_running(statements, process.running, catalogue, Position(str(main))))
        statements += [statement for statement, _ in drift if statement]
        notes += [note for _, note in drift if note]
    elif process.error:
        notes.append(f"{label} could not be asked ({process.error}): its file alone was read")
    if not process.unit:
        notes.append(f"{label} is not run by a unit of systemd: redis-fleet can watch it, but not restart it")
    unit = process.unit or f"{process.engine}-{process.kind}.service"
    return [
        Found(
            machine=name,
            kind=process.kind,
            engine=process.engine,
            configuration=process.configuration,
            statements=tuple(statements),
            address=_address(machine, answer, statements),
            version=process.version or None,
            unit=unit,
            assumed=() if process.unit else ("unit",),
            running=process.running,
            variables=machine.variables,
        )
    ], notes


def _running(
    statements: Sequence[Statement], running: Mapping[str, str], catalogue: Catalogue, place: Position
) -> Iterator[tuple[Statement | None, str]]:
    """Yield the statements that make the file say what runs, and a remark where the two differ."""
    for name, value in running.items():
        directive = catalogue.find(name)
        if directive is None or directive.name != name or name in BY_UNIT:
            continue
        lines = [each.words for each in statements if catalogue.canonical_name(each.name) == name]
        if name == "dir":
            # The server has entered it: what was relative is now known.
            if (value,) not in lines:
                yield Statement(name, (value,), place), ""
        elif directive.default is not None and not _same(directive, lines, value):
            shown = "another value" if directive.sensitive else f"'{value}'"
            yield from _instead(directive, value, place)
            yield None, f"{place}: {name} runs with {shown}, not with what the file says: the description has what runs"


def _same(directive: Directive, lines: Sequence[Words], value: str) -> bool:
    counted = tuple(lines if directive.repeatable else lines[-1:])
    written: values.Lines | str = counted or (directive.default or "")
    return values.canonical(directive, written) == values.canonical(directive, value)


def _instead(directive: Directive, value: str, place: Position) -> Iterator[tuple[Statement, str]]:
    if directive.type == "save":
        yield Statement(directive.name, ("",), place), ""  # takes back those before it
    words = tuple(value.split()) if directive.many_words else (value,)
    nothing = ("no", "one") if directive.type == "master" else ("",)
    yield Statement(directive.name, words or nothing, place), ""


def _address(machine: Host, answer: Discovered, statements: Sequence[Statement]) -> str:
    """Return the address that the machine's processes are known by: as it was reached, as they bind, else its first."""
    own = list(answer.addresses)
    bound = [word.lstrip("-") for each in statements if each.name == "bind" for word in each.words]
    wanted = [machine.given, *bound, *own]
    return next((each for each in wanted if each in own), machine.given if is_address(machine.given) else "")


def _short(hostname: str) -> str:
    name = hostname.partition(".")[0]
    if not re.match(NAME, name):
        raise RefusedError(Position(hostname), "is no usable name for a machine; name it: --host user@machine")
    return name
