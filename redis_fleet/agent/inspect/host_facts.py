"""What a machine is, before anything is put on it: memory, disks, kernel, ports, network, clock. Changes nothing.

No secret goes either way. What could not be read is None or empty.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from ..host import memory
from ..host.disks import file_facts, folder_facts
from ..host.files import text_of
from ..host.listeners import listeners
from ..host.memory import number_in
from ..host.packages.providers import here
from ..host.reach import reach
from ..host.systemd import show
from ..messages.host_facts import AskHostFacts, Clock, Cores, HostFacts, Memory, SystemdState
from .observe import host_state

_UNIT = "LoadState,MainPID,LimitNOFILE,TimeoutStopUSec,MemoryMax"
# What keeps the time on a Debian machine; any of them will do.
_TIME = ("systemd-timesyncd", "chrony", "chronyd", "ntpsec", "ntp", "ntpd", "openntpd")
# What PrivateUsers=, and all that hides or protects folders, is made of; a container may not be given them.
_NAMESPACES = ("user", "mount")
_SYS_RESOURCE = 24  # capabilities(7)


def host_facts(request: AskHostFacts) -> HostFacts:
    """Return a machine's facts."""
    begin = time.time()
    running = Path("/run/systemd/system").is_dir()
    state = host_state(request.host if running else replace(request.host, default_units=()))
    units = show(list(request.units), _UNIT) if running else {}
    found = HostFacts(
        **vars(state),
        python=tuple(sys.version_info[:3]),
        root=os.geteuid() == 0,
        virtual=(text_of("/run/systemd/container") or "").strip(),
        systemd=_state() if running else None,
        units=units,
        withheld=tuple(each for each in _NAMESPACES if running and not _given(each)),
        memory=_memory([int(unit.get("MainPID") or 0) for unit in units.values()]),
        cores=_cores(),
        open_files=_open_files(),
        folders={path: folder_facts(path, request.user) for path in request.folders},
        needed={path: file_facts(path, request.user) for path in request.needed},
        links=tuple(path for path in request.configurations if Path(path).is_symlink()),
        listeners=tuple(listeners(request.ports, request.deployment)),
        addresses={address: _is_here(address) for address in request.addresses},
        own_addresses=tuple(_own_addresses()),
        candidates=here().candidates(request.host.packages),
        lists=here().has_lists(),
        time_services=tuple(_active(_TIME)) if running else (),
        reach=tuple(reach(request.targets, request.seconds)),
    )
    return replace(found, clock=Clock(begin, time.time()))


def _state() -> SystemdState:
    """Return what systemd says of itself and which units failed."""
    failed = _output(["systemctl", "--failed", "--plain", "--no-legend", "--no-pager"])
    state = _output(["systemctl", "is-system-running"]).strip()
    return SystemdState(state, tuple(line.split()[0] for line in failed.splitlines() if line.split()))


def _given(namespace: str) -> bool:
    """Say whether root gets a namespace here as systemd asks for it; where nobody can be asked it is not known."""
    try:
        done = subprocess.run(
            ["unshare", f"--{namespace}", "true"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode == 0


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _memory(pids: list[int]) -> Memory:
    sizes = memory.sizes()
    swappiness = number_in("/proc/sys/vm/swappiness")
    return Memory(
        total=sizes.get("MemTotal"),
        available=sizes.get("MemAvailable"),
        swap=sizes.get("SwapTotal", 0),
        swap_used=sizes.get("SwapTotal", 0) - sizes.get("SwapFree", 0),
        swappiness=swappiness,
        limit=memory.limit(),
        ours=sum(_resident(pid) for pid in pids if pid),
    )


def _resident(pid: int) -> int:
    words = (text_of(f"/proc/{pid}/statm") or "").split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") if len(words) > 1 else 0


def _cores() -> Cores:
    """Return how many cores this machine may use, and the ``quota`` of its cgroup in cores (None: none)."""
    words = (text_of("/sys/fs/cgroup/cpu.max") or "").split()
    if len(words) != 2:
        words = [(text_of(f"/sys/fs/cgroup/cpu/cpu.cfs_{name}_us") or "").strip() for name in ("quota", "period")]
    quota = int(words[0]) / int(words[1]) if all(word.isdigit() for word in words) else None
    return Cores(len(os.sched_getaffinity(0)), quota)


def _open_files() -> int | None:
    """Return the most files that a service may open, None for no bound: the kernel's own, or PID 1's in a container."""
    hard: int | None = None
    for line in (text_of("/proc/1/limits") or "").splitlines():
        if line.startswith("Max open files"):
            hard = int(line.split()[4]) if line.split()[4].isdigit() else None
    bounds = [number_in("/proc/sys/fs/nr_open"), None if _may_raise() else hard]
    return min((each for each in bounds if each is not None), default=None)


def _may_raise() -> bool:
    for line in (text_of("/proc/1/status") or "").splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> _SYS_RESOURCE & 1)
    return True


def _is_here(address: str) -> bool:
    """Say whether an interface of this machine has an address; of a name, whether it leads to one that is no loopback.

    Debian gives a machine's own name the address 127.0.1.1.
    """
    if address == "localhost":
        return True
    if not _is_numeric(address):
        return any(each in _own_addresses() for each in _resolved(address))
    if number_in("/proc/sys/net/ipv4/ip_nonlocal_bind"):
        # Then anything can be bound to, as on machines that pass an address on to each other.
        return address in _own_addresses() or address.startswith("127.")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _is_numeric(address: str) -> bool:
    return ":" in address or address.replace(".", "").isdigit()


def _resolved(name: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except OSError:
        return []


def _own_addresses() -> list[str]:
    """Return the addresses of all interfaces but loopback."""
    found, last = set(), ""
    for line in (text_of("/proc/net/fib_trie") or "").splitlines():
        if "/32 host LOCAL" in line:
            found.add(last)
        last = line.split()[-1] if "--" in line else last
    for line in (text_of("/proc/net/if_inet6") or "").splitlines():
        found.add(socket.inet_ntop(socket.AF_INET6, bytes.fromhex(line.split()[0])))
    outer = [each for each in found if not each.startswith(("127.", "fe80:")) and each != "::1"]
    return sorted(outer)


def _active(services: tuple[str, ...]) -> list[str]:
    """Return which of these services run."""
    units = [f"{name}.service" for name in services]
    states = show(units, "ActiveState")
    return [name for name, unit in zip(services, units) if states.get(unit, {}).get("ActiveState") == "active"]
