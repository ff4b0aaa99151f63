"""What the unit of a process keeps it from, whatever its directives ask for: said before it is met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from posixpath import dirname, isabs

from redis_fleet.catalogue.unit_needs import need, needing
from redis_fleet.model import Process, Setting
from redis_fleet.render.places import below, hidden, of_the_system, written_as_is

Kept = tuple[str, str]
"""Why a process is kept from what a setting asks for, and what to do."""
_ELSEWHERE = "put it elsewhere, such as below /srv"
_OWN_UNIT = "leave it out, or let redis-fleet leave the unit alone ('adopted:')"


def kept_from(process: Process, setting: Setting) -> Iterator[Kept]:
    """Yield what its unit would keep a process from of what a setting of JUDGED asks for."""
    if not setting.secret:
        yield from _KEPT[need(setting.name)](process, setting)


def shared_folder(setting: Setting) -> str:
    """Return the folder of the system that a setting would make a process's own, or lets it write to; else nothing."""
    path = setting.word
    folder = path if need(setting.name) == "own-folder" else dirname(path)
    return folder if isabs(path) and of_the_system(folder) else ""


def _hidden(_: Process, setting: Setting) -> Iterator[Kept]:
    for path in _paths(setting):
        if folder := hidden(path):
            yield f"is below {folder}, which its unit shows to no process", _ELSEWHERE


def _named(process: Process, setting: Setting) -> Iterator[Kept]:
    """Yield what cannot stand in a line of the unit: a folder is named there."""
    yield from _hidden(process, setting)
    for path in _paths(setting):
        if path and not written_as_is(path):
            what = f"'{path}' is not an absolute path without blanks, quotes, backslashes and %, and its unit names it"
            yield what, "begin it with / and keep to letters and digits"


def _beside(process: Process, setting: Setting) -> Iterator[Kept]:
    # A name alone is a file of the data folder.
    if "/" in setting.word:
        yield from _named(process, setting)


def _socket(process: Process, setting: Setting) -> Iterator[Kept]:
    run = dirname(process.paths.pid)
    allowed = (run, process.paths.data, dirname(process.paths.log))
    if setting.word and not any(below(setting.word, folder) for folder in allowed if folder):
        # With the variable, it is the same for each process of a service.
        own = run.removesuffix(process.name)
        yield "is in no folder that its unit makes or lets it write to", f"write '{own}{{{{ name }}}}/redis.sock'"


def _score(process: Process, setting: Setting) -> Iterator[Kept]:
    used = process.setting("oom-score-adj")
    if used and used.word.lower() != "no" and any(word.startswith("-") for word in setting.lines[0]):
        yield "takes the right to lower a process's own score, which its unit has not", "write numbers from 0 up"


def _mark(_: Process, setting: Setting) -> Iterator[Kept]:
    if setting.word not in ("0", "0x0"):
        yield "takes the right CAP_NET_ADMIN, which its unit has not", "leave it out, and mark by the unit's user"


def _rdma(_: Process, setting: Setting) -> Iterator[Kept]:
    if setting.word not in ("", "0"):
        yield "takes devices and locked memory, which its unit does not give", _OWN_UNIT


def _paths(setting: Setting) -> Iterable[str]:
    """Return the path of each line; of Sentinel's, it is behind the monitor's name."""
    place = -1 if setting.name.startswith("sentinel ") else 0
    return dict.fromkeys(words[place] for words in setting.lines if words)


_KEPT: Mapping[str, Callable[[Process, Setting], Iterator[Kept]]] = {
    "own-folder": _hidden,
    "log-file": _hidden,
    "reads": _hidden,
    "writes-beside": _beside,
    "executes": _named,
    "runs": _named,
    "socket": _socket,
    "score": _score,
    "mark": _mark,
    "rdma": _rdma,
}
JUDGED = needing(*_KEPT)
"""The directives that a unit may keep a process from."""
FOLDERS = needing("own-folder", "log-file", "writes-beside")
"""The directives by which a process gets a folder to write to."""
