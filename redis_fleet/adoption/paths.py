"""From paths on this machine to the processes that were found: files, or folders that each belong to one machine."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from redis_fleet.adoption.found import Found, Refusals, RefusedError, Statement
from redis_fleet.adoption.reading import Reading, read, reads_patterns
from redis_fleet.catalogue import table
from redis_fleet.description.schema import NAME
from redis_fleet.kinds import KINDS
from redis_fleet.kinds.redis_sentinel import KIND as SENTINEL
from redis_fleet.kinds.redis_server import KIND as SERVER
from redis_fleet.platform import installation
from redis_fleet.problems import Position

# Folders of a tree that name no machine.
_USUAL = {"etc", "redis", "valkey", "conf", "conf.d", "config", "usr", "local", "opt", "srv"} | {
    "home",
    "root",
    "tmp",
    "var",
}


@dataclass(frozen=True)
class Survey:
    """What was found below the paths, and what was assumed while reading.

    ``copies`` are folders that stand for a machine's own files, with how remarks name them.
    """

    found: tuple[Found, ...]
    notes: tuple[str, ...]
    copies: tuple[tuple[str, str], ...] = ()

    def named(self, note: str) -> str:
        """Return a remark that names files as they are called on their machines."""
        for folder, name in self.copies:
            note = note.replace(folder, name)
        return note


def look(paths: Sequence[Path], engine: str | None = None, version: str | None = None) -> Survey:
    """Read files and folders; raises RefusedError for what cannot be read or what a server would not start with."""
    named = {file.resolve(): (file, _machine(path, file, paths)) for path in paths for file in _files(path)}
    files = list(named.values())
    refusals = Refusals()
    readings = {}
    for file, _ in files:
        with refusals.gathering():
            readings[file] = read(file, patterns=reads_patterns(engine or "redis", version))
    refusals.end()
    own = [(file, machine) for file, machine in files if not _part_of_others(file, readings)]
    engine = engine or _engine(own, readings)
    found = with_own_units([_found(file, machine, readings[file], engine, version) for file, machine in own])
    return Survey(tuple(found), tuple(note for file, _ in own for note in readings[file].notes))


def _part_of_others(file: Path, readings: dict[Path, Reading]) -> bool:
    """Say whether a file is included by others; one that listens on a port of its own is a process beside them."""
    including = [each for each in readings.values() if file.resolve() in each.included]
    own = _port(readings[file])
    return any(own in ("", _port(each)) for each in including)


def _port(reading: Reading) -> str:
    """Return the port that a file says, the last of several; empty for none."""
    return next((each.words[0] for each in reversed(reading.statements) if each.name == "port" and each.words), "")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        if not path.exists():
            raise RefusedError(Position(str(path)), "is not there")
        return [path]
    direct = sorted(path.glob("*.conf"))
    found = direct or sorted(each for each in path.rglob("*.conf") if re.match("redis|valkey|sentinel", each.name))
    if not found:
        raise RefusedError(Position(str(path)), "holds no *.conf file; name the files themselves")
    return found


def _machine(path: Path, file: Path, paths: Sequence[Path]) -> str:
    """Name the machine that a file belongs to: by its folder, unless that is one that every machine has."""
    if path.is_dir():
        parts: Iterable[str] = path.resolve().parts
    elif len(paths) == 1 and path.is_absolute():
        parts = ()  # one file tells of one machine; where it was copied to means nothing
    else:
        parts = (file if not file.is_absolute() else file.resolve()).parts[:-1]
    named = [each for each in parts if each not in _USUAL and re.match(NAME, each)]
    return named[-1] if named else "localhost"


def _engine(own: Sequence[tuple[Path, str]], readings: dict[Path, Reading]) -> str:
    """Tell the engine by the files' names, else by the directives that only one engine has."""
    if any("valkey" in part for file, _ in own for part in file.resolve().parts[-2:]):
        return "valkey"
    names = {each.name for file, _ in own for each in readings[file].statements}
    engines = [{column.partition("-")[0] for column in table.known_in(name)} for name in names]
    return "valkey" if {"valkey"} in engines and {"redis"} not in engines else "redis"


def with_own_units(found: Sequence[Found]) -> list[Found]:
    """Give processes of one machine, whose unit nothing tells, one each: no two are run by the same.

    The one whose file has the packages' name keeps theirs.
    """
    taken = Counter((each.machine, each.unit) for each in found)
    made = []
    for each in found:
        stem = each.configuration.rpartition("/")[2].removesuffix(".conf")
        kind = KINDS[each.kind]
        usual = kind.configuration_file.format(engine=each.engine).removesuffix(".conf")
        crowded = taken[each.machine, each.unit] > 1 and "unit" in each.assumed and stem != usual
        instance = stem.removeprefix(f"{usual}-") or stem
        made.append(replace(each, unit=kind.unit_name(each.engine, instance)) if crowded else each)
    return made


def _found(file: Path, machine: str, reading: Reading, engine: str, version: str | None) -> Found:
    kind = SENTINEL if _is_sentinel(file, reading.statements) else SERVER
    configuration = _configuration(file, engine)
    unit = conventional_unit(configuration, engine)
    assumed = [] if str(file) == configuration else ["configuration"]
    if not unit:
        unit = kind.unit_name(engine)
        assumed.append("unit")
    return Found(
        machine=machine,
        kind=kind.name,
        engine=engine,
        configuration=configuration,
        statements=reading.statements,
        version=version,
        unit=unit,
        assumed=tuple(assumed),
        users=_users(file, configuration, reading.statements),
    )


def _users(file: Path, configuration: str, statements: tuple[Statement, ...]) -> tuple[Statement, ...] | None:
    """Return the lines of the ACL file: beside a copied file, or where it is, when the file itself is where it is."""
    named = next((each.words[0] for each in reversed(statements) if each.name == "aclfile" and each.words), "")
    places = [file.parent / Path(named).name, *([Path(named)] if str(file) == configuration else [])]
    place = next((each for each in places if named and each.is_file()), None)
    if place is None:
        return None
    lines = [each for each in read(place).statements if each.name == "user" and each.words]
    return tuple(lines)


def _is_sentinel(file: Path, statements: tuple[Statement, ...]) -> bool:
    return any(each.name == "sentinel" for each in statements) or file.name == SENTINEL.configuration_file


def _configuration(file: Path, engine: str) -> str:
    """Return the file's path on its machine: where it is if that is below /etc, else where the packages have it."""
    parts = file.resolve().parts
    if "etc" in parts:
        return "/" + "/".join(parts[len(parts) - 1 - parts[::-1].index("etc") :])
    return f"{installation(engine).configuration}/{file.name}"


def conventional_unit(configuration: str, engine: str) -> str:
    """Return the unit that the packages run a configuration file with; empty for a file that they do not know."""
    folder, _, name = configuration.rpartition("/")
    if folder != installation(engine).configuration:
        return ""
    for kind in (SERVER, SENTINEL):
        file = kind.configuration_file.format(engine=engine)
        if name == file:
            return kind.unit_name(engine)
        if match := re.fullmatch(rf"{file.removesuffix('.conf')}-(.+)\.conf", name):
            return kind.unit_name(engine, match[1])
    return ""
