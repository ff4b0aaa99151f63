"""Folders of a machine as a unit sees them: which are the system's, which are hidden, which do not last. Pure."""

from __future__ import annotations

import re
from posixpath import normpath

# ProtectHome=, PrivateTmp=, PrivateDevices=: a process sees others there than everybody else, or nothing.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp", "/dev", "/proc", "/sys")  # noqa: S108
_SHARED_MEMORY = "/dev/shm"  # noqa: S108
_IN_MEMORY = ("/run", _SHARED_MEMORY)
# Where programs and files of everybody lie side by side: hier(7), file-hierarchy(7).
_OF_THE_SYSTEM = {
    "": ("bin", "boot", "etc", "lib", "lib32", "lib64", "media", "mnt", "opt", "run", "sbin", "srv", "usr", "var"),
    "/etc": ("default", "init.d", "pki", "ssl", "sysctl.d", "systemd", "systemd/system", "tmpfiles.d"),
    "/run": ("lock", "systemd"),
    "/usr": ("bin", "lib", "lib64", "libexec", "local", "sbin", "share", "src", "lib/systemd"),
    "/usr/local": ("bin", "etc", "lib", "lib64", "libexec", "sbin", "share", "src"),
    "/var": ("backups", "cache", "lib", "local", "lock", "log", "mail", "opt", "spool"),
}
_SYSTEM = frozenset(f"{above}/{name}" for above, names in _OF_THE_SYSTEM.items() for name in names) | {""}
_WRITTEN = re.compile(r"""/[^\s"'\\%]*\Z""")


def written_as_is(path: str) -> bool:
    """Say whether a path is absolute, and a unit reads it as it stands: no blanks, quotes, backslashes and %."""
    return bool(_WRITTEN.match(path))


def below(path: str, folder: str) -> bool:
    """Say whether a path is a folder or in it; /var/run is /run on every system with systemd."""
    return f"{real_path(path)}/".startswith(f"{real_path(folder)}/")


def hidden(path: str) -> str:
    """Return the folder that a unit hides and that a path is below; the shared memory in /dev is not hidden."""
    return "" if below(path, _SHARED_MEMORY) else next((each for each in _HIDDEN if below(path, each)), "")


def of_the_system(folder: str) -> bool:
    """Say whether a folder is everybody's, not a process's own: /srv is, /srv/redis is not."""
    return real_path(folder) in _SYSTEM


def in_memory(path: str) -> str:
    """Return the folder that a path is below and that a reboot empties; empty for a path on a disk."""
    return next((each for each in _IN_MEMORY if below(path, each)), "")


def real_path(path: str) -> str:
    """Return a path without detours and without the slash at its end: '' is the root."""
    real = f"/{normpath(path).lstrip('/')}".rstrip("/")
    return real.removeprefix("/var") if f"{real}/".startswith("/var/run/") else real
