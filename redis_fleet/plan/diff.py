"""Three ways of a directive held against each other: as described, as it runs, as its file says. By meaning, never as
text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redis_fleet.agent.host.digest import matches
from redis_fleet.agent.process.first_sync import DELAY
from redis_fleet.agent.secret import MASK
from redis_fleet.catalogue import table, values
from redis_fleet.catalogue.check import BY_UNIT, value_of
from redis_fleet.catalogue.table import Catalogue, Directive
from redis_fleet.model import Process, Setting
from redis_fleet.observe.facts import ProcessFacts
from redis_fleet.plan.steps import Change
from redis_fleet.settings.shares import in_words

# The role is the Sentinels' and the operators' to change, see masters.py.
BY_ROLE = {"replicaof"}
# The lines of users are compared by what they come to, see users.py.
NOT_IN_FILE = BY_ROLE | {"user"}
PASSWORDS = ("masterauth", "requirepass")
# Whom a replica logs in as goes with its password, see passwords.py.
LOGINS = (*PASSWORDS, "masteruser")


def catalogue_of(facts: ProcessFacts) -> Catalogue:
    """Return the table of what runs."""
    return table.catalogue(facts.engine, facts.version)


def kept_by_unit(process: Process) -> frozenset[str]:
    """Return the directives that are the business of a unit that somebody else made, command line and all."""
    return BY_UNIT if process.adopted else frozenset()


def hurried(process: Process, facts: ProcessFacts) -> str | None:
    """Return the described delay of a server that a first deployment hurried and did not slow down again, else None."""
    if facts.config.get(DELAY) != "0":
        return None
    wanted = value_of(facts.engine, process, DELAY)
    return None if wanted == "0" else wanted


def of_server(process: Process, facts: ProcessFacts) -> Iterator[Change]:
    """Yield what differs in a running server, then what differs in its file alone; users and passwords are left out."""
    catalogue = catalogue_of(facts)
    config = {name: value for name, value in facts.config.items() if name != DELAY or not hurried(process, facts)}
    found: set[str] = set(LOGINS)
    for change in (*_running(process, catalogue, config), *_unasked(process, catalogue, config)):
        if catalogue.canonical_name(change.directive) not in found:
            found.add(catalogue.canonical_name(change.directive))
            yield change
    if facts.file_error is None and facts.deployed:
        for change in of_file(process, facts, catalogue):
            name = catalogue.canonical_name(change.directive)
            if name not in found and (name != DELAY or not hurried(process, facts)):
                yield change


def _running(process: Process, catalogue: Catalogue, config: Mapping[str, str]) -> Iterator[Change]:
    for setting in process.settings:
        directive = catalogue.meant(setting.name)
        if setting.name in kept_by_unit(process):
            continue
        if directive is None:
            what = f"is not a directive of {catalogue.engine} {catalogue.version}, which it runs"
            yield Change(setting.name, _shown(setting), "", "REFUSED", what)
        elif not directive.file_only and setting.name not in BY_ROLE:
            yield from _against_config(directive, setting, config)


def _against_config(directive: Directive, setting: Setting, config: Mapping[str, str]) -> Iterator[Change]:
    name = next((each for each in (directive.name, directive.alias) if each in config), None)
    if name is None:
        return
    if directive.sensitive:
        if not matches(config[name], setting.reveal()[0][0]):
            yield Change(setting.name, _shown(setting), MASK if config[name] else "")
    elif values.canonical(directive, setting.lines) != values.canonical(directive, config[name]):
        yield Change(setting.name, _shown(setting), values.in_words(directive, config[name]))


def _unasked(process: Process, catalogue: Catalogue, config: Mapping[str, str]) -> Iterator[Change]:
    """What the description does not mention has its default; anything else was set by hand or taken out of the file."""
    asked = {catalogue.canonical_name(setting.name) for setting in process.settings} | BY_ROLE | kept_by_unit(process)
    defaults = catalogue.defaults
    for name, value in config.items():
        directive = defaults.get(name)
        if directive is None or name in asked:
            continue
        if directive.sensitive and value:
            yield Change(name, "", MASK)
        elif not directive.sensitive and not _default(directive, value):
            yield Change(name, _default_text(directive), values.in_words(directive, value))


def _default(directive: Directive, value: values.Lines | str) -> bool:
    # Most are the default letter for letter: no need to work out what it means.
    if value == directive.default:
        return True
    return values.canonical(directive, directive.default or "") == values.canonical(directive, value)


def _default_text(directive: Directive) -> str:
    return f"{values.in_words(directive, directive.default or '')} (the default)"


def _shown(setting: Setting) -> str:
    return MASK if setting.secret else in_words(setting) or _words(setting.lines)


def of_file(process: Process, facts: ProcessFacts, catalogue: Catalogue) -> Iterator[Change]:
    """Yield what differs in the file of a server; the master that it names is not looked at."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for name, *words in facts.lines or ():
        found.setdefault(catalogue.canonical_name(name), []).append(tuple(words))
    left = NOT_IN_FILE | kept_by_unit(process)
    for setting in process.settings:
        lines = tuple(found.pop(catalogue.canonical_name(setting.name), ()))
        directive = catalogue.meant(setting.name)
        if directive and setting.name not in left:
            yield from against_file(directive, setting, lines)
    for name, rest in found.items():
        directive = catalogue.find(name)
        if directive and directive.default is not None and name not in left:
            yield from _not_default_in_file(directive, tuple(rest))


def against_file(directive: Directive, setting: Setting, lines: values.Lines) -> Iterator[Change]:
    """Yield what is wrong with the lines that a file has for a setting."""
    if directive.sensitive:
        if not lines or not lines[-1] or not matches(lines[-1][-1], setting.reveal()[0][0]):
            yield Change(setting.name, MASK, MASK if lines else "", where="file")
        return
    written: values.Lines | str = lines or (directive.default or "")
    if values.canonical(directive, setting.lines) != values.canonical(directive, written):
        yield Change(setting.name, _shown(setting), _words(lines) or _default_text(directive), where="file")


def _not_default_in_file(directive: Directive, lines: values.Lines) -> Iterator[Change]:
    """What the description does not mention would be in force again after the start."""
    if directive.sensitive:
        if any(any(line) for line in lines):
            yield Change(directive.name, "", MASK, where="file")
    elif not _default(directive, lines):
        yield Change(directive.name, _default_text(directive), _words(lines), where="file")


def _words(lines: values.Lines) -> str:
    return " ".join(word for line in lines for word in line)
