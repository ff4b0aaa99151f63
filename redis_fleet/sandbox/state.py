"""A sandbox's own folder: which ports it took, which binary it runs. Gone after ``down``."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis_fleet.loopback import free_ports
from redis_fleet.settings.layout import SandboxLayout

_FILE = "sandbox.json"


def root_of(source: str) -> Path:
    """Return the folder of the sandbox of one description; the same for each run of this user, there or not."""
    real = os.path.realpath(source)
    # Without links: a process belongs to a sandbox when the kernel says that it works below this folder.
    base = os.path.realpath(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    digest = hashlib.sha256(real.encode()).hexdigest()[:8]
    name = Path(real).name.removesuffix(".redis.yml")
    return Path(base) / f"redis-fleet-{os.getuid()}" / f"{name}-{digest}"


def exists(root: Path) -> bool:
    """Say whether a sandbox is set up in this folder."""
    return (root / _FILE).is_file()


def create(root: Path, places: Iterable[str], server: str) -> dict[str, int]:
    """Make the folder (owner only) and note a free loopback port for each ``machine:port``; returns them.

    Raises FileExistsError when the folder is there, PermissionError when somebody else owns the one above it.
    """
    root.parent.mkdir(mode=0o700, exist_ok=True)
    # In a folder for everybody like /tmp its name could have been taken, and what is in it be exchanged.
    if root.parent.is_symlink() or root.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{root.parent} belongs to somebody else; set XDG_RUNTIME_DIR to a folder of your own")
    with _locked(root.parent):
        # Before the folder: where there are none, nothing stays behind.
        ports = _ports_for(list(places), root.parent)
        root.mkdir(mode=0o700)
        (root / _FILE).write_text(json.dumps({"server": server, "ports": ports}), encoding="utf-8")
    return ports


def grow(root: Path, places: Iterable[str]) -> None:
    """Note a free loopback port for each ``machine:port`` that has none yet: the description has grown.

    Places that left it keep theirs, so that what still runs there is found. Raises OSError when there is no sandbox.
    """
    wanted = list(places)
    if set(wanted) <= read(root)["ports"].keys():
        return
    with _locked(root.parent):
        state = read(root)
        state["ports"] |= _ports_for([place for place in wanted if place not in state["ports"]], root.parent)
        written = root / f".{_FILE}"
        written.write_text(json.dumps(state), encoding="utf-8")
        written.replace(root / _FILE)


def read(root: Path) -> dict[str, Any]:
    """Return ``server`` and ``ports``; raises OSError when there is no sandbox."""
    state: dict[str, Any] = json.loads((root / _FILE).read_text(encoding="utf-8"))
    return state


def sandbox_layout(root: str) -> tuple[SandboxLayout, str]:
    """Return the layout of a sandbox and the binary that it runs; raises OSError when there is none."""
    state = read(Path(root))
    return SandboxLayout(root, state["ports"]), state["server"]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Two runs at once must not note one port for two places, whichever sandboxes of this user they are about.
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _ports_for(places: list[str], sandboxes: Path) -> dict[str, int]:
    """Return a port for each place; one that looks free may be that of a process that is down, in any sandbox."""
    taken = {port for state in sandboxes.glob(f"*/{_FILE}") for port in _noted(state)}
    return dict(zip(places, free_ports(len(places), taken), strict=True))


def _noted(state: Path) -> list[int]:
    try:
        ports: dict[str, int] = json.loads(state.read_text(encoding="utf-8"))["ports"]
    except (OSError, ValueError, KeyError):
        # It is being taken away.
        return []
    return list(ports.values())
