"""What the kernel and systemd allow a server: overcommit, huge pages, backlog, open files, time to stop."""

from __future__ import annotations

import re
from collections.abc import Iterator

from redis_fleet.model import Process
from redis_fleet.preflight.memory import limit
from redis_fleet.preflight.rows import Row, Site, plural, section, size
from redis_fleet.render.files import kernel_settings

# server.h, CONFIG_MIN_RESERVED_FDS
_RESERVED_FILES = 32
# What a disk takes of an RDB in a second when it is slow.
_SAVED_A_SECOND = 50 << 20
_SPANS = {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800, "month": 2629800}
_HUGE = "transparent_hugepage"


def settings(site: Site) -> Iterator[Row]:
    """Without overcommit a fork fails although memory is there; a short backlog drops clients in a rush (W8)."""
    backlog = max((int(site.value(each, "tcp-backlog")) for each in site.servers), default=0)
    wanted = dict(kernel_settings(site.fleet, site.machine) if site.prepared else ())
    least = {"vm.overcommit_memory": "1", "net.core.somaxconn": str(backlog), **wanted}
    for name, value in least.items():
        seen = site.answer["kernel"].get(name)
        enough = seen == value or (name.endswith("somaxconn") and int(seen or 0) >= int(value))
        yield _judged(site, name, seen, enough, f"sysctl {name}={value}", value)


def huge_pages(site: Site) -> Iterator[Row]:
    """With huge pages each write during a fork copies 2 MB instead of 4 KiB: latency and memory (W8)."""
    seen = site.answer["kernel"].get(_HUGE)
    fix = f"echo madvise > /sys/kernel/mm/{_HUGE}/enabled"
    yield _judged(site, _HUGE, seen, seen != "always", fix, "madvise")


def _judged(site: Site, name: str, seen: str | None, enough: bool, command: str, value: str) -> Row:
    """Return the row of one setting: in a container it is the host's to change."""
    shown = seen if seen is not None else "not there"
    if enough:
        return site.good(name, shown, "W8")
    if site.container:
        return site.warn(name, f"{shown}; in a container the kernel is the host's", f"on the host: {command}", "W8")
    if site.prepared:
        return site.good(name, f"{shown}; deploy sets it to {value}", "W8")
    return site.warn(name, shown, f"{command}, and in /etc/sysctl.d to keep it", "W8")


def open_files(site: Site) -> Iterator[Row]:
    """A server that may not open a file a client lowers maxclients, and later refuses to raise it (W7)."""
    low = 0
    for process in site.servers:
        clients = int(site.value(process, "maxclients"))
        limits = [site.answer["open_files"], _number(_unit(site, process).get("LimitNOFILE", ""))]
        there = min((each for each in limits if each is not None), default=None)
        if there is not None and there < clients + _RESERVED_FILES:
            low += 1
            seen = f"maxclients {clients} + {_RESERVED_FILES} of its own, but {there} open files at most"
            fix = f"lower maxclients to {there - _RESERVED_FILES}, or raise {_who(site, there)}"
            yield site.warn(f"open files of {process.name}", seen, fix, "W7", section(process))
    if site.servers and not low:
        bound = site.answer["open_files"]
        seen = "no bound" if bound is None else f"up to {bound}"
        yield site.good("open files", f"{seen}, enough for the clients of {plural(len(site.servers), 'server')}", "W7")


def _who(site: Site, there: int) -> str:
    if there == site.answer["open_files"]:
        return "the bound of the container (ulimit nofile)" if site.container else "fs.nr_open"
    return "LimitNOFILE of its unit"


def stopping(site: Site) -> Iterator[Row]:
    """systemd kills what does not stop in time: a server in the middle of its last save (W9)."""
    short = 0
    for process in site.servers:
        seconds = timespan(_unit(site, process).get("TimeoutStopUSec", "infinity"))
        setting = process.setting("save")
        if seconds is None or not (setting and any(any(line) for line in setting.lines)):
            continue
        data = limit(site, process) or site.answer["memory"]["total"]
        if seconds < data / _SAVED_A_SECOND:
            short += 1
            seen = f"TimeoutStopSec {seconds:g} s; saving {size(data)} may take {data / _SAVED_A_SECOND:.0f} s"
            fix = f"systemctl edit {process.unit}: [Service] TimeoutStopSec=infinity"
            yield site.warn(f"stopping {process.name}", seen, fix, "W9", section(process))
    if site.servers and not short:
        yield site.good("stopping", "every server has the time for its last save", "W9")


def _unit(site: Site, process: Process) -> dict[str, str]:
    """Return the properties of a unit that is there; one to come is as it should be."""
    found: dict[str, str] = site.answer["units"].get(process.unit, {})
    return found if found.get("LoadState") == "loaded" else {}


def timespan(text: str) -> float | None:
    """Return the seconds of a time as systemctl shows it (``1min 30s``); None for ``infinity``."""
    parts = re.findall(r"([\d.]+)\s*([a-z]+)", text)
    return sum(float(number) * _SPANS.get(unit, 1) for number, unit in parts) if parts else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


CHECKS = (settings, huge_pages, open_files, stopping)
