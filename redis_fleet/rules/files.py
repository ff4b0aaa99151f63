"""Rules about the files and ports of processes."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from redis_fleet import kinds
from redis_fleet.description.nodes import Path
from redis_fleet.description.references import SHARED
from redis_fleet.model import Process
from redis_fleet.render.places import real_path
from redis_fleet.rules.rule import Finding, finds
from redis_fleet.rules.subject import Subject


@finds(SHARED)
def shared_files(subject: Subject) -> Iterator[Finding]:
    """Ports are compared before, in ``description/references.py``: they need nothing worked out."""
    named = [name for name in _OWN if any(subject.given(name)) or any(subject.given_to_sentinels(name))]
    taken: dict[tuple[str, str, str], list[Process]] = {}
    adopted = any(process.adopted for process in subject.fleet.processes)
    for process in subject.fleet.processes if named or adopted else ():
        for name, value in _own(subject, process):
            others = taken.setdefault((process.machine, name, value), [])
            for other in others:
                # Where neither names the path, both have one name and so one port, which is said already.
                place = _place(subject, process, name) or _place(subject, other, name)
                if place and not (name == "dir" and _apart(subject, process, other)):
                    what = f"'{value}' on {process.machine} is used by both {other.name} and {process.name}"
                    yield Finding(place, what)
                    break
            others.append(process)


_OWN = ("unixsocket", "tls-port", "dir", "logfile")


def _own(subject: Subject, process: Process) -> Iterator[tuple[str, str]]:
    given = {name: subject.setting(process, name) for name in ("unixsocket", "tls-port")}
    for name, setting in given.items():
        if setting and setting.word not in ("", "0"):
            yield name, real_path(setting.word) if name == "unixsocket" else setting.word
    # Debian's own Sentinel has the folder of the server; two adopted servers may share a log, if they must.
    folder = "" if process.adopted and kinds.of(process).watches else process.paths.data
    log = "" if process.adopted else process.paths.log
    yield from ((name, normpath(path)) for name, path in (("dir", folder), ("logfile", log)) if path)
    adopted = (("configuration", process.paths.configuration), ("unit", process.unit)) if process.adopted else ()
    yield from ((name, value) for name, value in adopted if value)


def _place(subject: Subject, process: Process, name: str) -> Path | None:
    if name in ("configuration", "unit"):
        return (*kinds.of(process).section(process), "adopted", name)
    return subject.place(process, name)


def _apart(subject: Subject, one: Process, other: Process) -> bool:
    """Say whether two adopted processes keep files of different names in their one folder.

    A folder of redis-fleet's own processes goes with them when they are purged: that one is never shared.
    """
    if not (one.adopted and other.adopted):
        return False
    logs = all(subject.value(each, "appendonly") == "yes" for each in (one, other))
    kinds = (("dbfilename",), ("appenddirname", "appendfilename") if logs else ())
    return all(any(subject.value(one, name) != subject.value(other, name) for name in kind) for kind in kinds if kind)
