"""What a process should be like and is not. Values are compared by meaning, never as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redis_fleet.catalogue import sentinel as sentinel_table
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.table import Catalogue, Directive
from redis_fleet.model import MASK, Fleet, Process, Service, Setting
from redis_fleet.observe.facts import MasterView, ProcessFacts
from redis_fleet.remote.hurry import DELAY
from redis_fleet.remote.seals import same
from redis_fleet.topology.judge import value_of

# The role is the Sentinels' and the operators' to change, see masters.py.
_BY_ROLE = {"replicaof"}
# The server rewrites ACL lines with hashes in place of passwords: they cannot be held against the description.
_NOT_IN_FILE = _BY_ROLE | {"user"}
_WATCHED = {
    "down-after-milliseconds": "down_after",
    "failover-timeout": "failover_timeout",
    "parallel-syncs": "parallel_syncs",
    "quorum": "quorum",
}
# What a Sentinel says itself, see of_sentinel.
_BY_VIEW = {*_WATCHED, "monitor"}


def hurried(process: Process, facts: ProcessFacts) -> str | None:
    """Return the described delay of a server that a first deployment hurried and did not slow down again, else None."""
    if facts.config.get(DELAY) != "0":
        return None
    wanted = value_of(facts.engine, process, DELAY)
    return None if wanted == "0" else wanted


def of_server(process: Process, facts: ProcessFacts) -> Iterator[str]:
    """Yield what differs in a running server, one sentence a directive."""
    if process.password and facts.open:
        yield f"{process.id}: answers without a password"
        return
    catalogue = table.catalogue(facts.engine, facts.version)
    config = {name: value for name, value in facts.config.items() if name != DELAY or not hurried(process, facts)}
    for setting in process.settings:
        directive = catalogue.find(setting.name)
        if directive is None:
            yield f"{process.id}: {setting.name} is not a directive of {facts.engine} {facts.version}, which it runs"
        elif not directive.file_only and setting.name not in _BY_ROLE:
            yield from _against_config(process, directive, setting, config)
    yield from _unasked(process, catalogue, config)


def _against_config(
    process: Process, directive: Directive, setting: Setting, config: Mapping[str, str]
) -> Iterator[str]:
    name = next((each for each in (directive.name, directive.alias) if each in config), None)
    if name is None:
        return
    if directive.sensitive:
        if not same(config[name], setting.lines[0][0]):
            yield f"{process.id}: {setting.name} is not the one of the description"
    elif values.canonical(directive, setting.lines) != values.canonical(directive, config[name]):
        yield _differs(process, setting.name, _text(setting), config[name])


def _unasked(process: Process, catalogue: Catalogue, config: Mapping[str, str]) -> Iterator[str]:
    """What the description does not mention has its default; anything else was set by hand or taken out of the file."""
    asked = {catalogue.canonical_name(setting.name) for setting in process.settings} | _BY_ROLE
    for name, value in config.items():
        directive = catalogue.find(name)
        if directive is None or directive.default is None or directive.name in asked or directive.name != name:
            continue
        if directive.sensitive and value:
            yield _differs(process, name, "", MASK)
        elif not directive.sensitive and not _default(directive, value):
            yield _differs(process, name, f"{directive.default} (the default)", value)


def _default(directive: Directive, value: str) -> bool:
    return values.canonical(directive, directive.default or "") == values.canonical(directive, value)


def _differs(process: Process, name: str, wanted: str, found: str) -> str:
    return f"{process.id}: {name} should be '{wanted}' and is '{found}'"


def _text(setting: Setting) -> str:
    return _words(setting.lines)


def of_sentinel(services: tuple[Service, ...], process: Process, facts: ProcessFacts) -> Iterator[str]:
    """Yield what differs in a running Sentinel."""
    if process.password and facts.open:
        yield f"{process.id}: answers without a password"
        return
    watched = {service.watch.name: service for service in services if service.watch}
    for name in sorted(watched.keys() - facts.masters.keys()):
        yield f"{process.id}: does not watch '{name}'"
    for name in sorted(facts.masters.keys() - watched.keys()):
        yield f"{process.id}: watches '{name}', which this file does not have"
    for name in sorted(watched.keys() & facts.masters.keys()):
        yield from _watching(process, watched[name], facts.masters[name])


def _watching(process: Process, service: Service, view: MasterView) -> Iterator[str]:
    for name, attribute in _WATCHED.items():
        wanted, found = str(getattr(service.watch, attribute)), view.master.get(name, "")
        if wanted != found:
            yield _differs(process, f"{name} of '{view.master['name']}'", wanted, found)


def of_sentinel_file(fleet: Fleet, process: Process, facts: ProcessFacts) -> Iterator[str]:
    """Yield what differs in a Sentinel's file, which is all that says how it is set up beside what it watches.

    A running Sentinel writes every change of its settings there at once. Timings are left to ``of_sentinel``: a line
    that says the default is taken out of the file.
    """
    if facts.file_error:
        yield f"{process.id}: its file {process.paths.configuration} cannot be read ({facts.file_error})"
        return
    catalogue = table.catalogue(fleet.engine, table.versions(fleet.engine)[-1])
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, *words in facts.lines or ():
        found.setdefault(f"sentinel {words[0]}" if name == "sentinel" else name, []).append(tuple(words))
    for setting in process.settings:
        statement = setting.name.removeprefix("sentinel ")
        directive = None if statement != setting.name else catalogue.find(setting.name)
        lines = tuple(found.get(setting.name, ()))
        if directive and setting.name not in _NOT_IN_FILE:
            yield from _against_file(process, directive, setting, lines)
        elif statement != setting.name and not sentinel_table.is_state((statement,)) and statement not in _BY_VIEW:
            yield from _statement(process, setting, [line[1:] for line in lines])


def _statement(process: Process, setting: Setting, found: list[tuple[str, ...]]) -> Iterator[str]:
    for words in setting.lines:
        if any(line[:-1] == words[:-1] and same(line[-1], words[-1]) for line in found if line):
            continue
        said = " ".join(words[:-1] if setting.secret else words)
        yield f"{process.id}: its file does not say '{' '.join((setting.name, said)).strip()}' as the description does"


def of_file(fleet: Fleet, process: Process, facts: ProcessFacts, version: str | None) -> Iterator[str]:
    """Yield what differs in the file of a server that is down; the master that it names is not looked at."""
    if facts.file_error:
        yield f"{process.id}: its file {process.paths.configuration} cannot be read ({facts.file_error})"
        return
    catalogue = table.catalogue(fleet.engine, version or table.versions(fleet.engine)[-1])
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, *words in facts.lines or ():
        found.setdefault(catalogue.canonical_name(name), []).append(tuple(words))
    for setting in process.settings:
        lines = tuple(found.pop(catalogue.canonical_name(setting.name), ()))
        directive = catalogue.find(setting.name)
        if directive and setting.name not in _NOT_IN_FILE:
            yield from _against_file(process, directive, setting, lines)
    for name, rest in found.items():
        directive = catalogue.find(name)
        if directive and directive.default is not None and name not in _NOT_IN_FILE:
            yield from _not_default_in_file(process, directive, tuple(rest))


def _against_file(process: Process, directive: Directive, setting: Setting, lines: values.Lines) -> Iterator[str]:
    where = f"{setting.name} in its file"
    if directive.sensitive:
        if not lines or not lines[-1] or not same(lines[-1][-1], setting.lines[0][0]):
            yield f"{process.id}: {where} is not the one of the description"
        return
    written: values.Lines | str = lines or (directive.default or "")
    if values.canonical(directive, setting.lines) != values.canonical(directive, written):
        yield _differs(process, where, _text(setting), _words(lines) or f"{directive.default} (the default)")


def _not_default_in_file(process: Process, directive: Directive, lines: values.Lines) -> Iterator[str]:
    """What the description does not mention would be in force again after the start."""
    if directive.sensitive:
        if any(any(line) for line in lines):
            yield _differs(process, f"{directive.name} in its file", "", MASK)
    elif values.canonical(directive, lines) != values.canonical(directive, directive.default or ""):
        default = f"{directive.default} (the default)"
        yield _differs(process, f"{directive.name} in its file", default, _words(lines))


def _words(lines: values.Lines) -> str:
    return " ".join(word for line in lines for word in line)
