"""Memory and processors: what the servers of a machine may grow to, against what it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from redis_fleet.catalogue.one_word import size as bytes_of
from redis_fleet.model import Process
from redis_fleet.rulebook import declare
from redis_fleet.rules.hosts.host import HostReport, Row, limit, on_hosts, plural, saves, section, size
from redis_fleet.rules.hosts.kernel import KERNEL_SETTINGS
from redis_fleet.rules.memory import no_limit

# Of maxmemory, what a fork may copy while writes go on: for a save or a rewrite of the AOF, and for a first
# synchronisation alone. Between 25 and 50 % is what operators plan with; no measurement fits all writes.
_SAVING, _SYNCHRONISING = 0.5, 0.25
_SWAPPINESS = 10
_REPLICA_BUFFER = 256 << 20


TOO_MUCH_MEMORY = declare(
    "E37",
    "more maxmemory than memory",
    reason="the servers of the machine may fill more than there is: the kernel ends one of them before any evicts",
    source="redis.conf: maxmemory",
    remedy="lower maxmemory, or move a server to another machine",
    directives=("maxmemory",),
    needs="machine",
)

FEW_CORES = declare(
    "W36",
    "more servers than cores",
    reason="each server runs its commands in one thread: under load they wait for each other, and for forks",
    source="redis.io, latency",
    remedy="fewer servers on the machine, or more cores",
    directives=("io-threads",),
    needs="machine",
)

GREEDY_THREADS = declare(
    "W29",
    "as many I/O threads as cores, or more",
    reason="the main thread and the background threads need a core of their own; threads that spin for one "
    "make it slow",
    source="redis.conf: io-threads",
    remedy="leave at least one core free: 2 or 3 I/O threads of 4 cores, 6 of 8",
    directives=("io-threads",),
    needs="machine",
)


class Need(NamedTuple):
    """Bytes that a server may take: its data, buffers of replication, and pages copied during a fork."""

    data: int
    buffers: int
    copied: int


def need(host: HostReport, process: Process) -> Need:
    """Return what a server may take; any of them may become the master of its service."""
    data = limit(host, process)
    replicated = len(host.fleet.service(process.service).processes) > 1
    buffers = bytes_of(host.value(process, "repl-backlog-size")) + _replica_buffer(process) if replicated else 0
    share = _SAVING if saves(process) else _SYNCHRONISING if replicated else 0.0
    return Need(data, buffers, int(data * share))


def _replica_buffer(process: Process) -> int:
    """Return the hard limit of what waits for replicas, in bytes; they share it since 7.0."""
    setting = process.setting("client-output-buffer-limit")
    words = [word.lower() for line in setting.lines for word in line] if setting else []
    for at, word in enumerate(words[:-1]):
        if word in ("replica", "slave"):
            return bytes_of(words[at + 1])
    return _REPLICA_BUFFER


def _there(host: HostReport) -> int:
    """Return the bytes that services of this machine may have together."""
    memory = host.facts.memory
    return min(int(number) for number in (memory.total, memory.limit) if number is not None)


@on_hosts(no_limit)
def bounded(host: HostReport) -> Iterator[Row]:
    """A server without maxmemory grows until the kernel ends some process of the machine, often this one."""
    without = [process for process in host.servers if not limit(host, process)]
    for process in without:
        others = sum(sum(need(host, each)) for each in host.servers if each not in without)
        share = max(0, _there(host) - others) / len(without) / (1 + _SAVING)
        fix = f"set maxmemory; {size(share * 0.9)} would leave room for the others and for forks"
        seen = f"no maxmemory: may take all {size(_there(host))}"
        yield host.breaks(f"memory of {process.name}", seen, fix, no_limit, section(process))


@on_hosts(TOO_MUCH_MEMORY, no_limit)
def enough(host: HostReport) -> Iterator[Row]:
    """All instances together, their buffers and what a fork copies, must fit into the memory."""
    needs = [need(host, process) for process in host.servers if limit(host, process)]
    if not needs:
        return
    data, buffers, copied = (sum(column) for column in zip(*needs, strict=True))
    there = _there(host)
    seen = (
        f"{size(data)} maxmemory of {plural(len(needs), 'server')}, {size(buffers)} buffers and {size(copied)} "
        f"while forked, of {size(there)}{_whose(host)}"
    )
    fits = max(0, there - buffers) * data / max(1, data + copied)
    fix = f"lower maxmemory to {size(fits)} in all, or move a server to another machine"
    if data + buffers > there:
        yield host.breaks("memory", seen, fix, TOO_MUCH_MEMORY)
    elif data + buffers + copied > there:
        yield host.breaks("memory", seen, fix, no_limit)
    else:
        yield host.holds("memory", seen, no_limit)


def _whose(host: HostReport) -> str:
    memory = host.facts.memory
    if memory.limit is None or memory.total is None or memory.limit >= memory.total:
        return ""
    return f" that the cgroup allows (the machine has {size(memory.total)})"


@on_hosts(no_limit)
def allowed(host: HostReport) -> Iterator[Row]:
    """A unit with a MemoryMax below what its server may take is killed by its own cgroup."""
    for process in host.servers:
        text = host.facts.units.get(process.unit, {}).get("MemoryMax", "")
        wanted = sum(need(host, process))
        if text.isdecimal() and limit(host, process) and int(text) < wanted:
            seen = f"MemoryMax {size(int(text))} of its unit, but it may take {size(wanted)}"
            fix = f"systemctl edit {process.unit}: raise MemoryMax, or lower maxmemory"
            yield host.breaks(f"memory of {process.name}", seen, fix, no_limit, section(process))


@on_hosts(no_limit)
def left(host: HostReport) -> Iterator[Row]:
    """What other programs hold now is not there for the servers, however large the machine."""
    memory = host.facts.memory
    wanted = sum(limit(host, process) for process in host.servers)
    if not wanted or memory.available is None:
        return
    free = memory.available + memory.ours
    seen = f"{size(free)} not held by other programs, {size(wanted)} maxmemory"
    if free < wanted:
        yield host.breaks("memory now", seen, "end what else runs there, or lower maxmemory", no_limit)
    else:
        yield host.holds("memory now", seen, no_limit)


@on_hosts(KERNEL_SETTINGS)
def swap(host: HostReport) -> Iterator[Row]:
    """A server that is swapped out answers in seconds; swap as a last resort before the OOM killer is fine."""
    memory = host.facts.memory
    if not memory.swap:
        yield host.holds("swap", "none", KERNEL_SETTINGS)
        return
    swappiness = memory.swappiness
    seen = f"{size(memory.swap)}, {size(memory.swap_used)} used, vm.swappiness {swappiness}"
    if swappiness is not None and swappiness > _SWAPPINESS:
        whose = " on the host: the kernel of a container is the host's" if host.container else ""
        fix = f"sysctl vm.swappiness=1 keeps it for the last resort{whose}; or swapoff -a"
        yield host.breaks("swap", seen, fix, KERNEL_SETTINGS)
    else:
        yield host.holds("swap", seen, KERNEL_SETTINGS)


@on_hosts(GREEDY_THREADS, FEW_CORES)
def cores(host: HostReport) -> Iterator[Row]:
    """A busy server has a core to itself, one with I/O threads several and one to spare."""
    found = host.facts.cores
    there = min(number for number in (found.count, found.quota) if number is not None)
    greedy = [process for process in host.servers if 1 < _threads(host, process) >= there]
    for process in greedy:
        seen = f"io-threads {_threads(host, process)} on {there:g} cores"
        fix = "lower it, so that at least one core stays free"
        yield host.breaks(f"cores for {process.name}", seen, fix, GREEDY_THREADS, section(process))
    threads = sum(_threads(host, process) for process in host.servers)
    seen = f"{there:g}, for {plural(threads, 'thread')} of {plural(len(host.servers), 'server')}"
    if threads > there and not greedy:
        yield host.breaks("cores", seen, "fewer servers here, or more cores, if all are busy at once", FEW_CORES)
    elif not greedy:
        yield host.holds("cores", seen, FEW_CORES)


def _threads(host: HostReport, process: Process) -> int:
    return int(host.value(process, "io-threads") or 1)
