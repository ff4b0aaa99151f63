"""What the directives of a process are allowed by its own unit beyond what every process may: no more than they need.

What each needs is the catalogue's to say (``catalogue/unit_needs.py``); here is what that is in lines of a unit.
Sources: systemd.exec(5) for what the unit takes away; for what a server does with a directive the sources of Redis
(``connectUnix``, ``setcpuaffinity``, ``moduleLoad``, ``adjustOpenFilesLimit``, ``sentinelRunPendingScripts``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from posixpath import dirname, isabs

from redis_fleet.catalogue.unit_needs import need
from redis_fleet.model import Process, Setting
from redis_fleet.platform.platform import Engine, Platform
from redis_fleet.render.places import below, of_the_system

_FIRST_PORT_OF_USERS = 1024
_OPEN_FILES = 65535
# What the server keeps for itself beside its clients (server.h, CONFIG_MIN_RESERVED_FDS).
_RESERVED_FILES = 32


@dataclass(frozen=True)
class UnitNeeds:
    """What a unit allows: folders and files to write and to execute, lines of its own for all else.

    ``errors``: what is not allowed fails instead of ending the process, as scripts of others are run there.
    ``private_users``: no other user or group exists for the process, which some rights do not go with.
    """

    writable: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    system_calls: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    open_files: int = _OPEN_FILES
    private_users: bool = True
    entered_by_others: bool = False
    errors: bool = False


@dataclass(frozen=True)
class _Place:
    process: Process
    platform: Platform
    engine: Engine


_Allow = Callable[[UnitNeeds, Setting, _Place], UnitNeeds]


def unit_needs(process: Process, platform: Platform, engine: Engine) -> UnitNeeds:
    """Return what the unit of a process has to allow on a platform."""
    place = _Place(process, platform, engine)
    needs = UnitNeeds()
    for setting in process.settings:
        allow = _ALLOWED.get(need(setting.name))
        if allow and not setting.secret and not setting.empty:
            needs = allow(needs, setting, place)
    return needs


def own_folders(process: Process) -> tuple[str, ...]:
    """Return the folders that every process may write to: of its file, its data and its log."""
    paths = process.paths
    return (dirname(paths.configuration), paths.data, *((dirname(paths.log),) if paths.log else ()))


def _execute(needs: UnitNeeds, setting: Setting, place: _Place) -> UnitNeeds:
    found = (_executable(words[0]) for words in setting.lines if words)
    own = [each for each in found if not any(below(each, library) for library in place.platform.libraries)]
    return replace(needs, executable=tuple(dict.fromkeys((*needs.executable, *own))))


def _executable(path: str) -> str:
    """Return the folder of a file, which may need what lies beside it; the file alone where others' lie there, too."""
    folder = dirname(path)
    return path if of_the_system(folder) else folder


def _run(needs: UnitNeeds, setting: Setting, place: _Place) -> UnitNeeds:
    # The words of a line are the monitor's name and the script.
    scripts = (_executable(words[-1]) for words in setting.lines if words)
    own = [each for each in scripts if not any(below(each, programs) for programs in place.platform.programs)]
    executable = dict.fromkeys((*needs.executable, *own, *place.platform.programs))
    return replace(needs, executable=tuple(executable), errors=True)


def _write_beside(needs: UnitNeeds, setting: Setting, place: _Place) -> UnitNeeds:
    folder, usual = dirname(setting.word), own_folders(place.process)
    # A name without a folder is one in the data folder.
    if not isabs(folder) or any(below(folder, each) for each in (*usual, *needs.writable)):
        return needs
    return replace(needs, writable=(*needs.writable, folder))


def _bind(needs: UnitNeeds, setting: Setting, _: _Place) -> UnitNeeds:
    if not (setting.word.isdecimal() and 0 < int(setting.word) < _FIRST_PORT_OF_USERS):
        return needs
    return replace(needs, capabilities=("CAP_NET_BIND_SERVICE",), private_users=False)


def _pin(needs: UnitNeeds, _: Setting, __: _Place) -> UnitNeeds:
    return replace(needs, system_calls=tuple(dict.fromkeys((*needs.system_calls, "sched_setaffinity"))))


def _let_in(needs: UnitNeeds, setting: Setting, _: _Place) -> UnitNeeds:
    return replace(needs, entered_by_others=needs.entered_by_others or int(setting.word, 8) & 0o7 != 0)


def _join(needs: UnitNeeds, setting: Setting, place: _Place) -> UnitNeeds:
    if setting.word == place.engine.user:
        return needs
    # Only who is in a group may give a file to it, and among users of its own there is no other group.
    calls = dict.fromkeys((*needs.system_calls, "@chown"))
    group = (setting.word,)
    return replace(needs, system_calls=tuple(calls), groups=group, private_users=False, entered_by_others=True)


def _open(needs: UnitNeeds, setting: Setting, _: _Place) -> UnitNeeds:
    return replace(needs, open_files=max(needs.open_files, int(setting.word) + _RESERVED_FILES))


_ALLOWED: Mapping[str, _Allow] = {
    "writes-beside": _write_beside,
    "executes": _execute,
    "runs": _run,
    "socket-mode": _let_in,
    "socket-group": _join,
    "port": _bind,
    "cpus": _pin,
    "open-files": _open,
}
