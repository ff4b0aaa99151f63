"""A share of a machine's memory: ``maxmemory: 60%`` becomes bytes as soon as somebody knows what the machine has. Pure.

The servers know nothing of it: they get bytes. Of what machine, and how much that is, is told where it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from redis_fleet.catalogue.one_word import about, size
from redis_fleet.model import Fleet, Process, Setting, Share

DIRECTIVE = "maxmemory"
STAND_IN = "1gb"
"""What stands for a share where only its form is judged."""

_SHARE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)%\Z", re.ASCII)
_STEP = 1 << 20


def is_share(name: str, texts: tuple[str, ...]) -> bool:
    """Say whether a value of a description is meant as a share of the machine's memory."""
    return name.lower() == DIRECTIVE and len(texts) == 1 and bool(_SHARE.match(texts[0]))


def share_of(text: str) -> Share | None:
    """Read ``60%``; None for a share that cannot be: no whole number from 1 to 100."""
    match = _SHARE.match(text)
    return Share(int(match[1])) if match and match[1].isdecimal() and 1 <= int(match[1]) <= 100 else None


def with_memory(fleet: Fleet, memory: Callable[[Process], int | None]) -> Fleet:
    """Return the fleet with each share in bytes where ``memory``, in bytes, of its process is known; else as it was."""
    if not any(_open(setting) for service in fleet.services for each in service.processes for setting in each.settings):
        return fleet
    services = tuple(
        replace(service, processes=tuple(_process(each, memory(each)) for each in service.processes))
        for service in fleet.services
    )
    return replace(fleet, services=services)


def unknown(processes: Iterable[Process]) -> list[tuple[Process, Setting]]:
    """Return the settings that are shares of a memory that nobody knows yet."""
    return [(process, setting) for process in processes for setting in process.settings if _open(setting)]


def _open(setting: Setting) -> bool:
    return setting.share is not None and setting.share.of is None


def _process(process: Process, memory: int | None) -> Process:
    if not memory:
        return process
    return replace(process, settings=tuple(_setting(each, memory) for each in process.settings))


def _setting(setting: Setting, memory: int) -> Setting:
    if not _open(setting) or setting.share is None:
        return setting
    # Whole megabytes: what a kernel keeps for itself differs by some pages from one start to the next.
    megabytes = max(1, memory * setting.share.percent // 100 // _STEP)
    return replace(setting, held=((f"{megabytes}mb",),), share=replace(setting.share, of=memory))


def in_words(setting: Setting) -> str:
    """Return ``60% of 4gb = 2.4gb`` for a share; empty for any other setting."""
    if setting.share is None or setting.share.of is None:
        return f"{setting.share.percent}% of the machine's memory" if setting.share else ""
    return f"{setting.share.percent}% of {about(setting.share.of)} = {about(size(setting.word))}"
