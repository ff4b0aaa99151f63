"""What the kernel and systemd allow a server: overcommit, huge pages, backlog, open files, time to stop."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from redis_fleet.model import Process
from redis_fleet.render.files import kernel_settings
from redis_fleet.rulebook import declare
from redis_fleet.rules.hosts.host import HostReport, Row, limit, on_hosts, plural, section, size

# server.h, CONFIG_MIN_RESERVED_FDS
_RESERVED_FILES = 32
# What a disk takes of an RDB in a second when it is slow.
_SAVED_A_SECOND = 50 << 20
_SPANS = {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800, "month": 2629800}
_HUGE = "transparent_hugepage"


FEW_OPEN_FILES = declare(
    "W7",
    "more clients than open files",
    reason="the server needs maxclients + 32 open files; with fewer it lowers maxclients by itself, and CONFIG SET is "
    "refused",
    source="measured on redis 7.0.15; server.c: adjustOpenFilesLimit",
    remedy="raise LimitNOFILE of the unit (redis-fleet's own units do it by themselves), or lower maxclients",
    directives=("maxclients",),
    needs="machine",
)

KERNEL_SETTINGS = declare(
    "W8",
    "kernel settings that Redis warns of",
    reason="a listen queue shorter than tcp-backlog drops connections in a rush; without overcommit_memory 1 a"
    " fork may fail; transparent huge pages and swapping make answers slow",
    source="redis-server --check-system (7.0 and newer); server.c: linuxMemoryWarnings, checkTcpBacklogSettings",
    remedy="sysctl net.core.somaxconn, vm.overcommit_memory=1; transparent_hugepage=madvise; no swap",
    directives=("tcp-backlog", "disable-thp"),
    needs="machine",
)

SHORT_STOP = declare(
    "W9",
    "a unit that does not wait for the last save",
    reason="systemd kills a server that saves longer than TimeoutStopSec, and what was not saved is lost",
    source="systemd.service(5); Debian's unit says 0, which is no limit",
    remedy="TimeoutStopSec=infinity (redis-fleet's own units have it)",
    directives=("save", "shutdown-timeout"),
    needs="machine",
)


@on_hosts(KERNEL_SETTINGS)
def settings(host: HostReport) -> Iterator[Row]:
    """Without overcommit a fork fails although memory is there; a short backlog drops clients in a rush."""
    backlog = max((int(host.value(each, "tcp-backlog")) for each in host.servers), default=0)
    wanted = dict(kernel_settings(host.fleet, host.machine) if host.prepared else ())
    least = {"vm.overcommit_memory": "1", "net.core.somaxconn": str(backlog), **wanted}
    for name, value in least.items():
        seen = host.facts.kernel.get(name)
        enough = seen == value or (name.endswith("somaxconn") and int(seen or 0) >= int(value))
        yield _judged(host, name, seen, enough, f"sysctl {name}={value}", value)


@on_hosts(KERNEL_SETTINGS)
def huge_pages(host: HostReport) -> Iterator[Row]:
    """With huge pages each write during a fork copies 2 MB instead of 4 KiB: latency and memory."""
    seen = host.facts.kernel.get(_HUGE)
    fix = f"echo madvise > /sys/kernel/mm/{_HUGE}/enabled"
    yield _judged(host, _HUGE, seen, seen != "always", fix, "madvise")


def _judged(host: HostReport, name: str, seen: str | None, enough: bool, command: str, value: str) -> Row:
    """Return the row of one setting: in a container it is the host's to change."""
    shown = seen if seen is not None else "not there"
    if enough:
        return host.holds(name, shown, KERNEL_SETTINGS)
    if host.container:
        return host.breaks(
            name, f"{shown}; in a container the kernel is the host's", f"on the host: {command}", KERNEL_SETTINGS
        )
    if host.prepared:
        return host.holds(name, f"{shown}; deploy sets it to {value}", KERNEL_SETTINGS)
    return host.breaks(name, shown, f"{command}, and in /etc/sysctl.d to keep it", KERNEL_SETTINGS)


@on_hosts(FEW_OPEN_FILES)
def open_files(host: HostReport) -> Iterator[Row]:
    """A server that may not open a file a client lowers maxclients, and later refuses to raise it."""
    low = 0
    for process in host.servers:
        clients = int(host.value(process, "maxclients"))
        limits = [host.facts.open_files, _number(_unit(host, process).get("LimitNOFILE", ""))]
        there = min((each for each in limits if each is not None), default=None)
        if there is not None and there < clients + _RESERVED_FILES:
            low += 1
            seen = f"maxclients {clients} + {_RESERVED_FILES} of its own, but {there} open files at most"
            fix = f"lower maxclients to {there - _RESERVED_FILES}, or raise {_who(host, there)}"
            yield host.breaks(f"open files of {process.name}", seen, fix, FEW_OPEN_FILES, section(process))
    if host.servers and not low:
        bound = host.facts.open_files
        seen = "no bound" if bound is None else f"up to {bound}"
        yield host.holds(
            "open files", f"{seen}, enough for the clients of {plural(len(host.servers), 'server')}", FEW_OPEN_FILES
        )


def _who(host: HostReport, there: int) -> str:
    if there == host.facts.open_files:
        return "the bound of the container (ulimit nofile)" if host.container else "fs.nr_open"
    return "LimitNOFILE of its unit"


@on_hosts(SHORT_STOP)
def stopping(host: HostReport) -> Iterator[Row]:
    """systemd kills what does not stop in time: a server in the middle of its last save."""
    short = 0
    for process in host.servers:
        seconds = timespan(_unit(host, process).get("TimeoutStopUSec", "infinity"))
        setting = process.setting("save")
        if seconds is None or not (setting and any(any(line) for line in setting.lines)):
            continue
        data = limit(host, process) or host.facts.memory.total or 0
        if seconds < data / _SAVED_A_SECOND:
            short += 1
            seen = f"TimeoutStopSec {seconds:g} s; saving {size(data)} may take {data / _SAVED_A_SECOND:.0f} s"
            fix = f"systemctl edit {process.unit}: [Service] TimeoutStopSec=infinity"
            yield host.breaks(f"stopping {process.name}", seen, fix, SHORT_STOP, section(process))
    if host.servers and not short:
        yield host.holds("stopping", "every server has the time for its last save", SHORT_STOP)


def _unit(host: HostReport, process: Process) -> Mapping[str, str]:
    """Return the properties of a unit that is there; one to come is as it should be."""
    found = host.facts.units.get(process.unit, {})
    return found if found.get("LoadState") == "loaded" else {}


def timespan(text: str) -> float | None:
    """Return the seconds of a time as systemctl shows it (``1min 30s``); None for ``infinity``."""
    parts = re.findall(r"([\d.]+)\s*([a-z]+)", text)
    return sum(float(number) * _SPANS.get(unit, 1) for number, unit in parts) if parts else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
