"""Who listens on a machine's ports and sockets: addresses, process and unit. From /proc: ss need not be there."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from ..messages.host_facts import Listener
from .files import text_of
from .systemd import MARK, UNITS

_LISTEN = "0A"  # tcp_states.h, TCP_LISTEN
_ACCEPTING = 1 << 16  # net.h, __SO_ACCEPTCON


def listeners(ports: Sequence[int], deployment: str) -> list[Listener]:
    """Return every listener on these ports."""
    found = [row for name in ("tcp", "tcp6") for row in rows(text_of(f"/proc/net/{name}") or "") if row[1] in ports]
    owners = _owners({inode for _, _, inode in found}) if found else {}
    return [_listener(address, port, owners.get(inode, 0), deployment) for address, port, inode in found]


def _listener(address: str, port: int, pid: int, deployment: str) -> Listener:
    unit = _unit(pid) if pid else ""
    return Listener(
        address=address,
        port=port,
        pid=pid,
        program=(text_of(f"/proc/{pid}/comm") or "").strip() if pid else "",
        unit=unit,
        ours=bool(unit) and MARK + deployment in (text_of(f"{UNITS}{unit}") or "").splitlines(),
    )


def rows(text: str) -> list[tuple[str, int, str]]:
    """Return address, port and inode of each listening socket of a file as /proc/net/tcp, see proc(5)."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 9 and words[3] == _LISTEN:
            address, _, port = words[1].partition(":")
            found.append((_address(address), int(port, 16), words[9]))
    return found


def socket_rows(text: str) -> list[tuple[str, str]]:
    """Return path and inode of each listening socket of a file as /proc/net/unix, see proc(5)."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split(None, 7)
        if len(words) == 8 and int(words[3], 16) & _ACCEPTING:
            found.append((words[7], words[6]))
    return found


def _address(text: str) -> str:
    """Read an address: 32-bit words in hexadecimal, each in the machine's own byte order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    address = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
    # An IPv4 address that an IPv6 socket is bound to.
    return address[7:] if address.startswith("::ffff:") and "." in address else address


def _owners(inodes: set[str]) -> dict[str, int]:
    """Return the first process that has each socket; without root only one's own are seen."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        if len(found) == len(wanted):
            break
        for name in _links(process / "fd"):
            if name in wanted:
                found.setdefault(wanted[name], int(process.name))
    return found


def _links(folder: Path) -> list[str]:
    try:
        return [link_of(str(each)) for each in folder.iterdir()]
    except OSError:
        return []


def link_of(path: str) -> str:
    """Return what a link names, nothing when it cannot be read."""
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""


def _unit(pid: int) -> str:
    """Return the service that a process belongs to, by its cgroup; empty when it is none's."""
    found: str | None = None
    for line in (text_of(f"/proc/{pid}/cgroup") or "").splitlines():
        last = line.rpartition("/")[2]
        found = last if last.endswith(".service") else found
    return found or ""
