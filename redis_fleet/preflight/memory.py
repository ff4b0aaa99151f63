"""Memory and processors: what the servers of a machine may grow to, against what it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from redis_fleet.catalogue.check import persists
from redis_fleet.catalogue.one_word import size as bytes_of
from redis_fleet.model import Process
from redis_fleet.preflight.rows import Row, Site, plural, section, size

# Of maxmemory, what a fork may copy while writes go on: for a save or a rewrite of the AOF, and for a first
# synchronisation alone. Between 25 and 50 % is what operators plan with; no measurement fits all writes.
_SAVING, _SYNCHRONISING = 0.5, 0.25
_SWAPPINESS = 10
_REPLICA_BUFFER = 256 << 20


class Need(NamedTuple):
    """Bytes that a server may take: its data, buffers of replication, and pages copied during a fork."""

    data: int
    buffers: int
    copied: int


def need(site: Site, process: Process) -> Need:
    """Return what a server may take; any of them may become the master of its service."""
    data = limit(site, process)
    replicated = len(site.fleet.service(process.service).processes) > 1
    buffers = bytes_of(site.value(process, "repl-backlog-size")) + _replica_buffer(process) if replicated else 0
    share = _SAVING if saves(process) else _SYNCHRONISING if replicated else 0.0
    return Need(data, buffers, int(data * share))


def limit(site: Site, process: Process) -> int:
    """Return maxmemory in bytes, 0 for none."""
    return bytes_of(site.value(process, "maxmemory"))


def saves(process: Process) -> bool:
    """Say whether a server keeps its data over a restart."""
    return persists((setting.name, setting.lines) for setting in process.settings)


def _replica_buffer(process: Process) -> int:
    """Return the hard limit of what waits for replicas, in bytes; they share it since 7.0."""
    setting = process.setting("client-output-buffer-limit")
    words = [word.lower() for line in setting.lines for word in line] if setting else []
    for at, word in enumerate(words[:-1]):
        if word in ("replica", "slave"):
            return bytes_of(words[at + 1])
    return _REPLICA_BUFFER


def _there(site: Site) -> int:
    """Return the bytes that services of this machine may have together."""
    memory = site.answer["memory"]
    return min(int(number) for number in (memory["total"], memory["limit"]) if number is not None)


def bounded(site: Site) -> Iterator[Row]:
    """A server without maxmemory grows until the kernel ends some process of the machine, often this one (W3)."""
    without = [process for process in site.servers if not limit(site, process)]
    for process in without:
        others = sum(sum(need(site, each)) for each in site.servers if each not in without)
        share = max(0, _there(site) - others) / len(without) / (1 + _SAVING)
        fix = f"set maxmemory; {size(share * 0.9)} would leave room for the others and for forks"
        seen = f"no maxmemory: may take all {size(_there(site))}"
        yield site.warn(f"memory of {process.name}", seen, fix, "W3", section(process))


def enough(site: Site) -> Iterator[Row]:
    """All instances together, their buffers and what a fork copies, must fit into the memory (W3, E37)."""
    needs = [need(site, process) for process in site.servers if limit(site, process)]
    if not needs:
        return
    data, buffers, copied = (sum(column) for column in zip(*needs, strict=True))
    there = _there(site)
    seen = (
        f"{size(data)} maxmemory of {plural(len(needs), 'server')}, {size(buffers)} buffers and {size(copied)} "
        f"while forked, of {size(there)}{_whose(site)}"
    )
    fits = max(0, there - buffers) * data / max(1, data + copied)
    fix = f"lower maxmemory to {size(fits)} in all, or move a server to another machine"
    if data + buffers > there:
        yield site.fail("memory", seen, fix, "E37")
    elif data + buffers + copied > there:
        yield site.warn("memory", seen, fix, "W3")
    else:
        yield site.good("memory", seen, "W3")


def _whose(site: Site) -> str:
    memory = site.answer["memory"]
    bound = memory["limit"] is not None and memory["limit"] < memory["total"]
    return f" that the cgroup allows (the machine has {size(memory['total'])})" if bound else ""


def allowed(site: Site) -> Iterator[Row]:
    """A unit with a MemoryMax below what its server may take is killed by its own cgroup (W3)."""
    for process in site.servers:
        text = site.answer["units"].get(process.unit, {}).get("MemoryMax", "")
        wanted = sum(need(site, process))
        if text.isdecimal() and limit(site, process) and int(text) < wanted:
            seen = f"MemoryMax {size(int(text))} of its unit, but it may take {size(wanted)}"
            fix = f"systemctl edit {process.unit}: raise MemoryMax, or lower maxmemory"
            yield site.warn(f"memory of {process.name}", seen, fix, "W3", section(process))


def left(site: Site) -> Iterator[Row]:
    """What other programs hold now is not there for the servers, however large the machine (W3)."""
    memory = site.answer["memory"]
    wanted = sum(limit(site, process) for process in site.servers)
    if not wanted or memory["available"] is None:
        return
    free = memory["available"] + memory["ours"]
    seen = f"{size(free)} not held by other programs, {size(wanted)} maxmemory"
    if free < wanted:
        yield site.warn("memory now", seen, "end what else runs there, or lower maxmemory", "W3")
    else:
        yield site.good("memory now", seen, "W3")


def swap(site: Site) -> Iterator[Row]:
    """A server that is swapped out answers in seconds; swap as a last resort before the OOM killer is fine (W8)."""
    memory = site.answer["memory"]
    if not memory["swap"]:
        yield site.good("swap", "none", "W8")
        return
    swappiness = memory["swappiness"]
    seen = f"{size(memory['swap'])}, {size(memory['swap_used'])} used, vm.swappiness {swappiness}"
    if swappiness is not None and swappiness > _SWAPPINESS:
        host = " on the host: the kernel of a container is the host's" if site.container else ""
        fix = f"sysctl vm.swappiness=1 keeps it for the last resort{host}; or swapoff -a"
        yield site.warn("swap", seen, fix, "W8")
    else:
        yield site.good("swap", seen, "W8")


def cores(site: Site) -> Iterator[Row]:
    """A busy server has a core to itself, one with I/O threads several and one to spare (W36, W29)."""
    found = site.answer["cores"]
    there = min(number for number in (found["count"], found["quota"]) if number is not None)
    greedy = [process for process in site.servers if 1 < _threads(site, process) >= there]
    for process in greedy:
        seen = f"io-threads {_threads(site, process)} on {there:g} cores"
        fix = "lower it, so that at least one core stays free"
        yield site.warn(f"cores for {process.name}", seen, fix, "W29", section(process))
    threads = sum(_threads(site, process) for process in site.servers)
    seen = f"{there:g}, for {plural(threads, 'thread')} of {plural(len(site.servers), 'server')}"
    if threads > there and not greedy:
        yield site.warn("cores", seen, "fewer servers here, or more cores, if all are busy at once", "W36")
    elif not greedy:
        yield site.good("cores", seen, "W36")


def _threads(site: Site, process: Process) -> int:
    return int(site.value(process, "io-threads") or 1)


CHECKS = (bounded, enough, allowed, left, swap, cores)
