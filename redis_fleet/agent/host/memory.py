"""How much memory a machine has, and how much of it services may use."""

from __future__ import annotations

from typing import Optional

from .files import text_of

_CGROUP_FILES = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/system.slice/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    "/sys/fs/cgroup/memory/system.slice/memory.limit_in_bytes",
)
# cgroup v1 says "no limit" with a number just below 2^63.
_UNLIMITED = 1 << 60


def sizes() -> dict[str, int]:
    """Return what the kernel says of the memory: bytes by name, such as ``MemTotal``."""
    found = {}
    for line in (text_of("/proc/meminfo") or "").splitlines():
        name, _, rest = line.partition(":")
        if rest.split():
            found[name] = int(rest.split()[0]) * 1024
    return found


def limit() -> Optional[int]:
    """Return the bytes that the cgroup of services may have; None for no limit."""
    found = [number for number in map(number_in, _CGROUP_FILES) if number is not None and number < _UNLIMITED]
    return min(found, default=None)


def usable() -> Optional[int]:
    """Return the bytes that services may have together: the machine's, or those of their cgroup if it has fewer."""
    return min((each for each in (sizes().get("MemTotal"), limit()) if each is not None), default=None)


def number_in(path: str) -> Optional[int]:
    """Return the number in a file; None where there is none (``max``)."""
    text = (text_of(path) or "").strip()
    return int(text) if text.isdigit() else None
