"""What the directives of a process need of its own unit beyond what every process may: no more, and nothing silently.

Sources: systemd.exec(5) for what the unit takes away; for what a server does with a directive the sources of Redis
(``connectUnix``, ``setcpuaffinity``, ``moduleLoad``, ``anetSetSockMarkId``, ``setOOMScoreAdj``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, normpath

from redis_fleet.model import Process, Setting

_PINNING = (
    *("server-cpulist", "bio-cpulist", "aof-rewrite-cpulist", "bgsave-cpulist"),
    *("server_cpulist", "bio_cpulist", "aof_rewrite_cpulist", "bgsave_cpulist"),
)
_PORTS = ("port", "tls-port")
_FIRST_PORT_OF_USERS = 1024
_PATHS = (
    *("dir", "logfile", "loadmodule", "aclfile", "include", "tls-cert-file", "tls-key-file", "tls-ca-cert-file"),
    *("tls-ca-cert-dir", "tls-client-cert-file", "tls-client-key-file", "tls-dh-params-file"),
)
JUDGED = (*_PATHS, "unixsocket", "socket-mark-id", "oom-score-adj-values")
"""The directives that a unit may keep a process from."""
# ProtectHome=, PrivateTmp=, PrivateDevices=: a process sees others there than everybody else, or nothing.
_HIDDEN = ("/home", "/root", "/run/user", "/tmp", "/var/tmp", "/dev", "/proc", "/sys")  # noqa: S108


@dataclass(frozen=True)
class UnitNeeds:
    """What a unit allows beyond the usual: folders to execute from, and lines of its own for system calls and ports."""

    executable: tuple[str, ...] = ()
    system_calls: tuple[str, ...] = ()
    low_ports: bool = False


def unit_needs(process: Process, libraries: tuple[str, ...]) -> UnitNeeds:
    """Return what the unit of a process has to allow, where modules of ``libraries`` may be executed anyway."""
    modules = dict.fromkeys(dirname(each) for each in _modules(process))
    return UnitNeeds(
        tuple(each for each in modules if not any(_below(each, library) for library in libraries)),
        ("sched_setaffinity",) if any(_word(process, name) for name in _PINNING) else (),
        any(0 < int(_word(process, name) or 0) < _FIRST_PORT_OF_USERS for name in _PORTS),
    )


def kept_from(process: Process, setting: Setting) -> Iterator[tuple[str, str]]:
    """Yield why its unit would keep a process from what a setting of JUDGED asks for, and what to do."""
    name = setting.name
    if name in _PATHS:
        for path in dict.fromkeys(words[0] for words in setting.lines if words):
            if hidden := _hidden(path):
                yield f"is below {hidden}, which its unit shows to no process", "put it elsewhere, such as below /srv"
    elif name == "unixsocket" and setting.word:
        yield from _socket(process, setting.word)
    elif name == "socket-mark-id" and setting.word not in ("0", "0x0"):
        yield "takes the right CAP_NET_ADMIN, which its unit has not", "leave it out, and mark by the unit's user"
    elif name == "oom-score-adj-values" and any(word.startswith("-") for word in setting.lines[0]):
        yield "takes the right to lower a process's own score, which its unit has not", "write numbers from 0 up"


def _hidden(path: str) -> str:
    """Return the folder that a unit hides and that a path is below; the shared memory in /dev is not hidden."""
    return "" if _below(path, "/dev/shm") else next((each for each in _HIDDEN if _below(path, each)), "")  # noqa: S108


def _socket(process: Process, path: str) -> Iterator[tuple[str, str]]:
    run = dirname(process.paths.pid)
    allowed = (run, process.paths.data, dirname(process.paths.log))
    if not any(_below(path, folder) for folder in allowed if folder):
        # With the variable, it is the same for each process of a service.
        own = run.removesuffix(process.name)
        yield "is in no folder that its unit makes or lets it write to", f"write '{own}{{{{ name }}}}/redis.sock'"


def _modules(process: Process) -> list[str]:
    setting = process.setting("loadmodule")
    return [words[0] for words in setting.lines if words] if setting else []


def _word(process: Process, name: str) -> str:
    setting = process.setting(name)
    return setting.word if setting and not setting.secret and setting.held else ""


def _below(path: str, folder: str) -> bool:
    """Say whether a path is a folder or in it; /var/run is /run on every system with systemd."""
    real = normpath(path)
    if real.startswith("/var/run/"):
        real = real.removeprefix("/var")
    return real == folder or real.startswith(f"{folder}/")
