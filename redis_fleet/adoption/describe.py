"""The pure core of import: processes that were found, in; a description that says the same, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from redis_fleet.adoption import brief, sentinel_section, service_section, writer
from redis_fleet.adoption.addresses import work_out
from redis_fleet.adoption.found import Adopted, Found, Refusals, RefusedError
from redis_fleet.adoption.groups import Group, group
from redis_fleet.adoption.knowledge import Knowledge
from redis_fleet.adoption.machines import Machines
from redis_fleet.adoption.notes import Notes
from redis_fleet.adoption.secrets import Book, Encrypt
from redis_fleet.adoption.sentinels import Sentinel, sentinel
from redis_fleet.adoption.servers import Server, server
from redis_fleet.adoption.writer import Silences
from redis_fleet.kinds import KINDS
from redis_fleet.problems import Position


@dataclass(frozen=True)
class How:
    """What is wanted of a description.

    ``encrypt`` makes vaults of secrets; ``by_name`` carries host names as addresses, which only some readers take;
    ``brief`` leaves out what is the default.
    """

    encrypt: Encrypt | None = None
    by_name: bool = False
    brief: bool = False


def describe(found: Sequence[Found], name: str, how: How | None = None, silences: Silences | None = None) -> Adopted:
    """Return the description of processes that somebody set up.

    ``silences`` are rules that the processes break today (see ``loading``).

    Raises RefusedError for what the server itself would refuse, and where the processes are of two engines.
    """
    how, notes = how or How(), Notes()
    knowledge = _knowledge(found)
    servers, sentinels = _processes(found, knowledge, notes)
    if how.brief:
        servers = [brief.server(each, knowledge, notes) for each in servers]
        sentinels = [brief.sentinel(each, knowledge, notes) for each in sentinels]
    _say_what_was_assumed(found, notes)
    machines = work_out(servers, sentinels, notes, by_name=how.by_name)
    groups = group(servers, sentinels, machines, notes)
    if not groups:
        what = "watches no master, and no file of a server is beside it: there is nothing to describe"
        raise RefusedError(Position(found[0].file), what)
    book = Book(knowledge.engine, how.encrypt)
    written = writer.DescriptionWriter(name, knowledge.engine, knowledge.version, machines, silences=silences or {})
    for each in groups:
        told = sentinel_section.told_password(each, sentinels)
        section = service_section.ServiceSection.of(each, knowledge, book, notes, machines, told)
        written.services[each.name] = section.keys(_watch(each, groups, sentinels, notes))
        written.take_variables(section.merged.variables)
    if sentinels:
        whole = sentinel_section.SentinelSection.of(sentinels, groups, knowledge, book, notes, machines)
        written.sentinel = whole.keys()
        written.take_variables(whole.merged.variables)
    for process in found:
        written.connections.setdefault(process.machine, {}).update(_connection(process, machines))
    book.say(notes)
    return Adopted(written.text(), dict(book.secrets), tuple(notes.texts), machines.want())


def _connection(process: Found, machines: Machines) -> dict[str, str]:
    """Return the variables that Ansible needs for a machine: not what it takes from the address anyway."""
    address = machines.addresses[process.machine]
    return {name: value for name, value in process.variables.items() if (name, value) != ("ansible_host", address)}


def _processes(found: Sequence[Found], knowledge: Knowledge, notes: Notes) -> tuple[list[Server], list[Sentinel]]:
    """Read the statements of all processes; raises RefusedError with everything that is wrong in any of them."""
    servers, sentinels, refusals = [], [], Refusals()
    for each in found:
        with refusals.gathering():
            if KINDS[each.kind].keeps_data:
                servers.append(server(each, knowledge, notes))
            elif KINDS[each.kind].watches:
                sentinels.append(sentinel(each, knowledge, notes))
    refusals.end()
    return servers, sentinels


def _watch(each: Group, groups: Sequence[Group], sentinels: Sequence[Sentinel], notes: Notes) -> writer.Node | None:
    return sentinel_section.watch(each, groups, sentinels, notes) if sentinels else None


def _knowledge(found: Sequence[Found]) -> Knowledge:
    engines = Counter(each.engine for each in found)
    if not found:
        raise RefusedError(Position("import"), "there is no configuration file of a server or Sentinel")
    if len(engines) > 1:
        other = next(each for each in found if each.engine != found[0].engine)
        what = f"is of {other.engine}, {found[0].file} is of {found[0].engine}; import them one by one, or say --engine"
        raise RefusedError(Position(other.file), what)
    versions = {each.version for each in found}
    return Knowledge(found[0].engine, versions.pop() if len(versions) == 1 else None)


def _say_what_was_assumed(found: Sequence[Found], notes: Notes) -> None:
    for each in found:
        for what in each.assumed:
            value = each.configuration if what == "configuration" else each.unit
            notes.add(Position(each.file), f"assumed: its {what} on {each.machine} is {value}; correct it if not")
