"""What is wrong with a server although it runs, from its INFO and a few of its directives. Pure.

``status`` and ``verify`` both ask here. Fields are those of INFO in redis 6.0 to 8.0 and valkey 7.2 to 9.1 (server.c,
genRedisInfoString); one that a version does not have says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .. import engine_words

SILENCE = 30
"""Seconds; a master pings its replicas every ten (repl-ping-replica-period), so a link that is silent for longer is
dead."""
_SLACK = 120
ENDS_AT_WRITE = "ends-at-write"
"""The code of a replica that the next write to its master ends: nobody should write to try whether all is well."""
_IGNORED = "replica-ignore-disk-write-errors"
DIRECTIVES = ("save", "min-replicas-to-write", "maxclients", "stop-writes-on-bgsave-error", _IGNORED)
"""What is asked for by CONFIG GET; of one that is missing nothing is said."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong with a process or a service (``subject``), by a ``code`` and in words."""

    code: str
    subject: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.subject}: {self.what}" if self.subject else self.what
        return f"{text}; {self.remedy}" if self.remedy else text


def troubles(
    subject: str, info: Mapping[str, str], config: Mapping[str, str], now: float, *, saves: bool
) -> list[Trouble]:
    """Return what is wrong with a server; ``saves``: its description keeps data over a restart.

    ``now`` is in seconds since 1970, ``config`` has DIRECTIVES by name.
    """
    if info.get("loading", "0") != "0":
        return [Trouble("loading", subject, "is still reading its data", "see its log for how far it is")]
    rows = (*_saving(info, config, now, saves), *_full(info, config), *_replicating(info, config))
    return [Trouble(code, subject, what, remedy) for code, what, remedy in rows]


_Row = tuple[str, str, str]
_LOG = "see its log, and the space and rights of its data folder"


def _saving(info: Mapping[str, str], config: Mapping[str, str], now: float, saves: bool) -> Iterator[_Row]:
    refuses = ", so it refuses writes" if _takes_writes(info) else ""
    unsaved = info.get("rdb_last_bgsave_status", "ok") != "ok"
    stops = bool(config.get("save")) and config.get("stop-writes-on-bgsave-error", "yes") == "yes"
    unwritten = info.get("aof_enabled") == "1" and info.get("aof_last_write_status", "ok") != "ok"
    if unsaved:
        yield "save-fails", f"its last snapshot failed{refuses if stops else ''}", _LOG
    if unwritten:
        yield "aof-fails", f"cannot write its append-only file{refuses}", _LOG
    # From redis 7.0 on (server.c, processCommand): "Replica was unable to write command to disk."
    if ((unsaved and stops) or unwritten) and not _takes_writes(info) and config.get(_IGNORED) == "no":
        what = f"ends itself at the next write to its master, as it cannot save ({_IGNORED} no)"
        yield ENDS_AT_WRITE, what, _LOG
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        yield "aof-rewrite-fails", "the last rewrite of its append-only file failed: it grows without end", _LOG
    if overdue := _overdue(info, config.get("save", ""), now):
        yield "save-overdue", overdue, _LOG
    if saves and info.get("aof_enabled") == "0" and config.get("save") == "":
        what = "saves nothing, though its description says that it does"
        yield "nothing-saved", what, "see 'redis-fleet plan' for what differs"


def _takes_writes(info: Mapping[str, str]) -> bool:
    return engine_words.role(info.get("role"), engine_words.MASTER) == engine_words.MASTER


def _overdue(info: Mapping[str, str], rules: str, now: float) -> str:
    """Say which save rule should have been followed by now: its time is over twice, and no snapshot is being made."""
    words = [int(word) for word in rules.split() if word.isdecimal()]
    age = now - int(info.get("rdb_last_save_time", now))
    changes = int(info.get("rdb_changes_since_last_save", "0"))
    idle = info.get("rdb_bgsave_in_progress", "0") == "0" and info.get("aof_rewrite_in_progress", "0") == "0"
    for seconds, least in zip(words[::2], words[1::2]):
        if idle and changes >= least and age > 2 * seconds + _SLACK:
            return f"{changes} changes are not saved, the oldest {age:.0f} s old; the rule is 'save {seconds} {least}'"
    return ""


def _full(info: Mapping[str, str], config: Mapping[str, str]) -> Iterator[_Row]:
    limit, used = int(info.get("maxmemory", "0")), int(info.get("used_memory", "0"))
    # A replica takes what its master takes, whatever its own limit (replica-ignore-maxmemory).
    if limit and used >= limit and info.get("maxmemory_policy") == "noeviction" and _takes_writes(info):
        what = f"uses {used} bytes of {limit} (maxmemory) and evicts nothing, so it refuses writes"
        yield "memory-full", what, "free memory, or raise maxmemory"
    most, clients = int(config.get("maxclients") or 0), int(info.get("connected_clients", "0"))
    if most and clients >= most:
        yield "clients-full", f"has {clients} clients of {most} (maxclients) and takes no more", "raise maxclients"


def _replicating(info: Mapping[str, str], config: Mapping[str, str]) -> Iterator[_Row]:
    if _takes_writes(info):
        least, good = int(config.get("min-replicas-to-write") or 0), engine_words.value(info, "min_slaves_good_slaves")
        if good is not None and int(good) < least:
            what = f"refuses writes: {good} replicas are in step, and min-replicas-to-write is {least}"
            yield "fenced", what, "bring the replicas back, or see 'redis-fleet plan'"
        return
    silent = int(engine_words.value(info, "master_last_io_seconds_ago") or 0)
    up = engine_words.value(info, "master_link_status") == "up"
    if up and silent > SILENCE:
        yield "master-silent", f"has not heard of its master for {silent} s", "look at the network between them"
