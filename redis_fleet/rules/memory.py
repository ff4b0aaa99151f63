"""Rules about memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from redis_fleet.catalogue import one_word
from redis_fleet.model import Process
from redis_fleet.rules.rule import Finding, rule
from redis_fleet.rules.subject import Subject


def limit(subject: Subject, process: Process) -> int:
    """Return a process's maxmemory in bytes, 0 for none."""
    setting = subject.setting(process, "maxmemory")
    return _bytes(setting.word) if setting else 0


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
    """Only a machine's own variables can make it differ."""
    for given in subject.given("maxmemory"):
        service = given.service
        if service is None or given.process is not service.processes[0] or len(service.processes) < 2:
            continue
        limits = dict.fromkeys(limit(subject, process) for process in service.processes)
        if len(limits) > 1:
            sizes = ", ".join(f"{each.machine} {_size(limit(subject, each))}" for each in service.processes)
            yield Finding(subject.path(given), f"differs within the service: {sizes}")


def _size(size: int) -> str:
    for unit in ("gb", "mb", "kb"):
        if size and size % one_word.size(f"1{unit}") == 0:
            return f"{size // one_word.size(f'1{unit}')}{unit}"
    return str(size)
