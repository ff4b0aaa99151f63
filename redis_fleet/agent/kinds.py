"""The kinds of process, as far as a machine has to know: files, program arguments, how one is asked and put to a test.

All that differs by kind here stands in this table; what the controller has to know beside it is in its own registry.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of process.

    ``files`` are names of its configuration file, ``arguments`` follow that on the command line, ``port`` is what it
    listens on when its file names none. ``monitors``: it has no role and no data, but watches masters. ``refused_line``
    is a line that the program takes in no version, and that it reads after all others.
    """

    name: str
    files: tuple[str, ...]
    port: int
    refused_line: str
    arguments: tuple[str, ...] = ()
    monitors: bool = False


# (Not an unknown name: Redis 8 keeps those for a module that may want them. A Sentinel reads its own lines last.)
SERVER = Kind("server", ("redis.conf", "valkey.conf"), 6379, "port redis-fleet-ends-here")
SENTINEL = Kind(
    "sentinel", ("sentinel.conf",), 26379, "sentinel redis-fleet-ends-here", arguments=("--sentinel",), monitors=True
)
KINDS = {kind.name: kind for kind in (SERVER, SENTINEL)}


def by_file(name: str) -> Kind:
    """Return the kind whose configuration file has this name; a server for a name that is none's."""
    return next((kind for kind in KINDS.values() if name in kind.files), SERVER)
