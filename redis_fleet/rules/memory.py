"""Rules about memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from redis_fleet.catalogue import one_word
from redis_fleet.model import Process, Setting
from redis_fleet.rulebook import declare
from redis_fleet.rules.rule import Finding, finds, rule
from redis_fleet.rules.subject import Subject
from redis_fleet.settings.shares import in_words


def limit(subject: Subject, process: Process) -> int:
    """Return a process's maxmemory in bytes, 0 for none; -1 for a share of a memory that is not described."""
    setting = subject.setting(process, "maxmemory")
    if setting is None:
        return 0
    return -1 if setting.share and setting.share.of is None else _bytes(setting.word)


_WHOLE = 100
_bytes = lru_cache(maxsize=256)(one_word.size)


@rule(
    "W3",
    "memory without a limit, or limits that the machine does not have",
    reason="a fork for an RDB or AOF may need up to the same memory again; without room for that the kernel kills the "
    "server, mostly at the worst time",
    source="redis.conf: maxmemory; redis.io, memory optimization",
    remedy="set maxmemory; leave a quarter to a half of the machine's memory for forks, buffers and the system",
    directives=("maxmemory",),
    needs="machine",
)
def no_limit(subject: Subject) -> Iterator[Finding]:
    """The file shows where there is no limit at all; the sum is for the pre-flight, which sees the machine."""
    for service in subject.services:
        if all(limit(subject, process) for process in service.processes):
            continue
        places = (subject.place(process, "maxmemory") for process in service.processes)
        path = next(filter(None, places), ("services", service.name))
        what = "has no maxmemory: it grows until the kernel kills it or a neighbour"
        yield Finding(path, what, "add 'maxmemory:' and leave room for forks and buffers")


@rule(
    "W4",
    "maxmemory that differs within a service",
    reason="replicas ignore maxmemory (replica-ignore-maxmemory) until they are promoted: then the new master "
    "evicts or refuses writes at once",
    source="redis.conf: replica-ignore-maxmemory",
    remedy="give all processes of a service the same",
    directives=("maxmemory", "replica-ignore-maxmemory"),
)
def uneven_limits(subject: Subject) -> Iterator[Finding]:
    """Only a machine's own variables, or its described memory, can make it differ."""
    for given in subject.given("maxmemory"):
        service = given.service
        if service is None or given.process is not service.processes[0] or len(service.processes) < 2:
            continue
        limits = [_said(subject, process) for process in service.processes]
        if len(set(limits)) > 1:
            named = zip(service.processes, limits, strict=True)
            sizes = ", ".join(f"{each.machine} {said}" for each, said in named)
            yield Finding(subject.path(given), f"differs within the service: {sizes}")


def _said(subject: Subject, process: Process) -> str:
    setting = subject.setting(process, "maxmemory")
    size = limit(subject, process)
    return in_words(setting) if setting and size < 0 else one_word.size_in_words(size)


OVERSHARED = declare(
    "E53",
    "more shares of a machine's memory than it has",
    reason="each server may fill its share: together they fill more than there is, and the kernel ends one of them",
    source="redis.conf: maxmemory",
    remedy="give the servers of one machine less than 100 % together: a quarter is soon needed for forks and buffers",
    directives=("maxmemory",),
    firm="the kernel would end a server before any of them evicts or refuses",
)


@finds(OVERSHARED)
def overshared(subject: Subject) -> Iterator[Finding]:
    """Percentages count as they are, sizes only where the file says what the machine has."""
    for name, machine in subject.fleet.machines.items():
        found = [(each, setting) for each in subject.fleet.on(name) if (setting := each.setting("maxmemory"))]
        parts = [(each, setting, _percent(setting, machine.memory)) for each, setting in found]
        together = sum(part for *_, part in parts)
        if together > _WHOLE and (machine.memory or any(setting.share for _, setting, _ in parts)):
            process, setting, _ = parts[-1]
            what = f"comes to {together:.0f}% of the memory of {name}: " + ", ".join(
                f"{each.name} {each_part:.0f}%" for each, _, each_part in parts if each_part
            )
            yield Finding(subject.place(process, "maxmemory") or ("machines", name), what)


def _percent(setting: Setting, memory: int | None) -> float:
    if setting.share:
        return setting.share.percent
    return 100 * one_word.size(setting.word) / memory if memory else 0.0
