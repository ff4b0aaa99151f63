"""A kind of process, as far as a machine has to know; what is asked for says of each process what kind it is.

The two that Redis itself brings have their names here: a machine knows them also where nobody describes what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..codec import Message


@dataclass(frozen=True)
class Kind(Message):
    """Files, program arguments, and how one is asked and put to a test.

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
