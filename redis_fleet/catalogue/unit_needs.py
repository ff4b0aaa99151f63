"""What directives need of the systemd unit of their process: the column ``unit`` of both tables, in words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from redis_fleet.catalogue import sentinel, table

NEEDS: Mapping[str, str] = {
    "nothing": "",
    "own-folder": "the process to write to this folder of its own",
    "log-file": "the process to write to the file's folder",
    "writes-beside": "the process to write to the file's folder",
    "reads": "the process to read it, but not below /home, /root and /tmp",
    "executes": "the process to execute what is in the file's folder",
    "runs": "the process to start the script and programs of the system, with no rights of their own",
    "socket": "the process to make it in its own folder below /run, and where its data and its log are",
    "socket-mode": "others into the process's folder below /run, where the mode lets them use the socket",
    "socket-group": "the process to be in that group, and the group into the process's folder below /run",
    "port": "the process to take one below 1024 (CAP_NET_BIND_SERVICE)",
    "cpus": "the process to choose its processors (sched_setaffinity)",
    "score": "numbers from 0 up: below takes a right that no unit of redis-fleet gives",
    "mark": "none but 0: the right for others (CAP_NET_ADMIN) no unit of redis-fleet gives",
    "rdma": "none: devices and locked memory no unit of redis-fleet gives",
    "open-files": "the process as many open files as clients, and some more",
}
"""What may stand in the column, and what the unit allows for it, in words behind "allows"; empty for nothing."""


@cache
def need(name: str) -> str:
    """Return what a setting's directive (``dir``, ``sentinel notification-script``) needs: a key of NEEDS."""
    word, _, rest = name.partition(" ")
    found = sentinel.unit_needs().get(rest) if word == "sentinel" and rest else table.unit_needs().get(name)
    return found or "nothing"


@cache
def needing(*kinds: str) -> tuple[str, ...]:
    """Return the directives that need one of these, those of Sentinel with the word in front."""
    own = [name for name, kind in table.unit_needs().items() if kind in kinds]
    return (*own, *(f"sentinel {name}" for name, kind in sentinel.unit_needs().items() if kind in kinds))
