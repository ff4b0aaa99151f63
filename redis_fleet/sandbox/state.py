"""A sandbox's own folder: which ports it took, which binary it runs. Gone after ``down``."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

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
    root.mkdir(mode=0o700)
    ports = _free_ports(list(places))
    state = {"server": server, "ports": ports}
    (root / _FILE).write_text(json.dumps(state), encoding="utf-8")
    return ports


def grow(root: Path, places: Iterable[str]) -> None:
    """Note a free loopback port for each ``machine:port`` that has none yet: the description has grown.

    Places that left it keep theirs, so that what still runs there is found. Raises OSError when there is no sandbox.
    """
    wanted = list(places)
    if set(wanted) <= read(root)["ports"].keys():
        return
    with ExitStack() as held:
        # Two runs at once must not note different ports for one place.
        folder = os.open(root, os.O_RDONLY)
        held.callback(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        state = read(root)
        ports = state["ports"]
        missing = [place for place in wanted if place not in ports]
        while missing:
            # A process that is down has its port still, though it looks free.
            found = {place: port for place, port in _free_ports(missing).items() if port not in ports.values()}
            ports |= found
            missing = [place for place in missing if place not in found]
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


def _free_ports(places: list[str]) -> dict[str, int]:
    with ExitStack() as held:
        # All are held until the last is found, so that no two are the same.
        sockets = [held.enter_context(socket.socket()) for _ in places]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {place: each.getsockname()[1] for place, each in zip(places, sockets, strict=True)}
