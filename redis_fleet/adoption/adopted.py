"""The ``adopted:`` part of a section: the configuration file and the unit that each process has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from redis_fleet.adoption import merging
from redis_fleet.adoption.groups import Member
from redis_fleet.adoption.texts import plain
from redis_fleet.adoption.writer import Node
from redis_fleet.kinds import KINDS
from redis_fleet.kinds.redis_server import KIND as SERVER
from redis_fleet.platform import installation

_USUAL_PORT = 6379


def keys(members: Sequence[Member], merged: merging.MergedSection) -> Mapping[str, Node]:
    """Return the file and the unit of all processes of a section.

    Those that only others speak of have what the packages install, or what the others have; one that is not alone on
    its machine has its own.
    """
    known = [each for each in members if each.server]
    if not known:
        return _of_packages(members, merged)
    crowded = {machine for machine, count in Counter(each.machine for each in members).items() if count > 1}
    made = [_of(each, known, own=each.machine in crowded) for each in members]
    for member, (configuration, unit) in zip(members, made, strict=True):
        if not member.server and member.machine in crowded:
            where = f"{merged.name}: no file of {member.machine}:{member.port} was given"
            merged.notes.add(None, f"{where}: {configuration} and {unit} are assumed")
    whole = replace(merged, places=[(each.machine, each.port) for each in members], others=())
    texts = zip(*made, strict=True)
    return {
        key: whole.differing(key, [plain(text)[0] for text in column]).text
        for key, column in zip(("configuration", "unit"), texts, strict=True)
    }


def _of(member: Member, known: Sequence[Member], *, own: bool) -> tuple[str, str]:
    server = (member if member.server else known[0]).server
    assert server is not None
    found = server.found
    if member.server:
        return found.configuration, found.unit
    if own:
        kind = KINDS[found.kind]
        stem = kind.configuration_file.format(engine=found.engine).removesuffix(".conf")
        folder = installation(found.engine).configuration
        return f"{folder}/{stem}-{member.port}.conf", kind.unit_name(found.engine, str(member.port))
    old, new = str(server.port), str(member.port)
    return found.configuration.replace(old, new), found.unit.replace(old, new)


def _of_packages(members: Sequence[Member], merged: merging.MergedSection) -> Mapping[str, Node]:
    """Return what Debian's packages have for one server on a machine, or for each of several."""
    engine = merged.knowledge.engine
    several = len({each.machine for each in members}) < len(members) or members[0].port != _USUAL_PORT
    stem = SERVER.configuration_file.format(engine=engine).removesuffix(".conf")
    own = "-{{ port }}" if several else ""
    configuration = f"{installation(engine).configuration}/{stem}{own}.conf"
    unit = SERVER.unit_name(engine, "{{ port }}" if several else "")
    merged.notes.add(
        None,
        f"{merged.name}: no file of it was given: {configuration} and {unit} are assumed,"
        " nothing of its settings is known",
    )
    return {"configuration": configuration, "unit": unit}
