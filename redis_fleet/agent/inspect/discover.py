"""Find every Redis and Valkey process of a machine, whoever set it up: files, unit and running values. Changes nothing.

The answer holds the files as they are, passwords included: it is for one reader, and is never shown or kept.
"""

from __future__ import annotations

import glob
import os
import re
import socket
from dataclasses import replace
from pathlib import Path

from ..access import Access
from ..endpoint import Endpoint
from ..host.files import text_of
from ..host.listeners import link_of, rows, socket_rows
from ..host.systemd import starts
from ..login import connect, directives
from ..messages.discovery import Discovered, DiscoveredProcess
from ..messages.kind import SENTINEL, SERVER
from ..messages.process import ManagedProcess
from ..protocol.resp import ReplyError, info, pairs

_PROGRAM = re.compile(r"(redis|valkey)-(server|sentinel)")  # /proc/PID/comm keeps 15 letters
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_TIMEOUT = 2.0


def discover() -> Discovered:
    """Return every process of this machine that can be found."""
    found, others = [], []
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdecimal()):
        program = _PROGRAM.match(text_of(f"/proc/{pid}/comm") or "")
        if program is None or _is_child(pid):
            continue
        why = _out_of_reach(pid)
        if why:
            others.append(f"{program[0]} (pid {pid}) {why}")
        else:
            found.append(_process(pid, program[1]))
    return Discovered(socket.gethostname(), _addresses(), tuple(found), tuple(others))


def _is_child(pid: int) -> bool:
    """Whether a process is the child of one of its own kind: it writes a snapshot, and will be gone."""
    status = text_of(f"/proc/{pid}/status") or ""
    parent = re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)
    return bool(parent and _PROGRAM.match(text_of(f"/proc/{parent[1]}/comm") or ""))


def _out_of_reach(pid: int) -> str:
    try:
        apart = Path(f"/proc/{pid}/ns/mnt").readlink() != Path("/proc/self/ns/mnt").readlink()
        if apart and not _unit(pid):
            return "runs in a container; import it from inside"
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    return ""


def _process(pid: int, engine: str) -> DiscoveredProcess:
    unit = _unit(pid)
    words = _command(pid, unit)
    directory = link_of(f"/proc/{pid}/cwd") or "/"
    path = next((word for word in words[1:] if word.startswith("/") or word.endswith(".conf")), "")
    sentinel = "sentinel" in Path(words[0]).name or "[sentinel]" in _title(pid) or "--sentinel" in words
    found = _asked(
        DiscoveredProcess(
            kind=(SENTINEL if sentinel else SERVER).name,
            engine=engine,
            pid=pid,
            directory=directory,
            configuration=str(Path(directory, path)) if path else "",
            unit=unit,
            endpoints=_endpoints(pid),
        )
    )
    texts, missing = _texts(found.configuration, directory)
    return replace(found, texts=texts, missing=missing)


def _asked(found: DiscoveredProcess) -> DiscoveredProcess:
    """Add what the process itself says: version, configuration file, running values."""
    error = "it listens nowhere"
    for endpoint in found.endpoints:
        try:
            connection, _ = connect(ManagedProcess("", SERVER, Access(endpoint), found.configuration), _TIMEOUT)
            with connection:
                said = info(connection.call("INFO", "server"))
                found = replace(
                    found,
                    version=said.get("valkey_version") or said.get("redis_version", ""),
                    configuration=said.get("config_file") or found.configuration,
                )
                if said.get("redis_mode") == "sentinel":
                    return replace(found, kind=SENTINEL.name)
                return replace(found, running=pairs(connection.call("CONFIG", "GET", "*")))
        except (OSError, ReplyError) as failure:
            error = getattr(failure, "strerror", None) or str(failure)
    return replace(found, error=error)


def _title(pid: int) -> str:
    return (text_of(f"/proc/{pid}/cmdline") or "").replace("\0", " ")


def _command(pid: int, unit: str) -> list[str]:
    """Return the command line that a process was started with; it puts a title over its own."""
    own = (text_of(f"/proc/{pid}/cmdline") or "").rstrip("\0").split("\0")
    by_unit = [words for words in starts(unit) if _PROGRAM.match(Path(words[0]).name)] if unit else []
    return by_unit[0] if by_unit else own


def _unit(pid: int) -> str:
    """Return the system's service that a process belongs to, if any."""
    groups = [line.rpartition(":")[2] for line in (text_of(f"/proc/{pid}/cgroup") or "").splitlines()]
    for group in groups:
        last = group.rpartition("/")[2]
        if last.endswith(".service") and "/user.slice/" not in group:
            return last
    return ""


def _endpoints(pid: int) -> tuple[Endpoint, ...]:
    """Return where a process listens: TCP, IPv4 first, any address as loopback; then the paths of its sockets."""
    sockets = set()
    for handle in Path(f"/proc/{pid}/fd").glob("*"):
        match = re.match(r"socket:\[(\d+)\]", link_of(str(handle)))
        if match:
            sockets.add(match[1])
    tables = [text_of(f"/proc/{pid}/net/{name}") or "" for name in ("tcp", "tcp6")]
    found = [row for table in tables for row in rows(table) if row[2] in sockets]
    directory = link_of(f"/proc/{pid}/cwd") or "/"
    local = [path for path, inode in socket_rows(text_of(f"/proc/{pid}/net/unix") or "") if inode in sockets]
    return (
        *(Endpoint(_ANY.get(address, address), port) for address, port, _ in found),
        # A relative path is one of the folder that the server works in.
        *(Endpoint(str(Path(directory, path)), 0) for path in local if not path.startswith("@")),
    )


def _texts(path: str, directory: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return a configuration file and all that it includes, by path, and the paths that cannot be read."""
    texts: dict[str, str] = {}
    missing: list[str] = []
    waiting = [path] if path else []
    while waiting:
        name = waiting.pop()
        if name in texts or name in missing:
            continue
        text = text_of(name)
        if text is None:
            missing.append(name)
            continue
        texts[name] = text
        for line in directives(name):
            for word in line.words if line.name == "include" else ():
                pattern = str(Path(directory, word))
                matching = sorted(glob.glob(pattern))  # noqa: PTH207 (Path has no absolute patterns)
                waiting += matching if glob.has_magic(pattern) else [pattern]
    return texts, tuple(missing)


def _addresses() -> tuple[str, ...]:
    """Return this machine's IPv4 addresses that others can use, then its IPv6 ones, by the kernel's own tables."""
    local = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", text_of("/proc/net/fib_trie") or "")
    found = [address for address in local if not address.startswith("127.")]
    for line in (text_of("/proc/net/if_inet6") or "").splitlines():
        digits, scope = line.split()[0], line.split()[3]
        if scope == "00":
            found.append(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits)))
    return tuple(dict.fromkeys(found))
