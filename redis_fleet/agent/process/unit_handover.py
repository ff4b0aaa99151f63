"""What the unit of a server calls when it starts, stops and has ended, so that a master's role does not end with it.

It runs as root outside of the unit's walls, for some seconds at most, and never keeps a process from its start or its
stop: in any doubt it says why, which the journal has, and does nothing. Clients wait meanwhile: what is not needed
before the election is imported after it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence

from ..messages.service import ServiceView
from ..messages.unit_handover import END, HOLD, KNOWLEDGE, READY, START, STOP, UnitHandover
from ..replication import succession
from ..replication.crash_handover import TIMEOUT, replace_crashed
from ..replication.view import map_parallel, sentinel_view, view

_SECONDS = {START: 2.0, STOP: 30.0, END: 12.0}
"""After these the kernel ends it, whatever it waits for."""
_CRASHES = frozenset({"signal", "core-dump", "exit-code", "watchdog", "oom-kill"})
"""Of $SERVICE_RESULT, systemd.exec(5): the process ended by itself, or something ended it that was no stop."""


def main(arguments: Sequence[str], environment: Mapping[str, str], file: str) -> int:
    """Do what a unit calls it for: ``start``, ``stop`` or ``end``; ``file`` is what it knows. Never fails a unit."""
    occasion = arguments[0] if arguments else ""
    if occasion == READY:
        return 0
    if occasion not in _SECONDS:
        _say(f"'{occasion}' is none of {', '.join(_SECONDS)}")
        return 2
    signal.setitimer(signal.ITIMER_REAL, _SECONDS[occasion])
    try:
        knows = UnitHandover.from_text(_read(file))
        _DOING[occasion](knows, environment)
    except (OSError, ValueError, RuntimeError) as error:
        _say(f"nothing is done: {error}")
    return 0


def main_beside(code: str, arguments: Sequence[str]) -> int:
    """Do it for the file of the code that runs: what is known lies beside it."""
    return main(arguments, os.environ, os.path.join(os.path.dirname(code), KNOWLEDGE))  # noqa: PTH118, PTH120


def crashed(environment: Mapping[str, str]) -> str:
    """Return how a unit's process crashed, by what systemd gives its ExecStopPost; empty where it did not."""
    result = environment.get("SERVICE_RESULT", "")
    if result not in _CRASHES:
        return ""
    code, status = environment.get("EXIT_CODE", ""), environment.get("EXIT_STATUS", "")
    return " ".join(filter(None, (result, code, status)))


def before_start(knows: UnitHandover, _: Mapping[str, str]) -> None:
    """Let a server that was the master come back as a replica where the Sentinels agree on another one by now."""
    if not _is_master(knows.configuration):
        return
    target = knows.service
    sentinels = map_parallel(lambda node: sentinel_view(target, node, TIMEOUT), target.sentinels)
    named = succession.replacement(target, ServiceView(time.time(), tuple(sentinels)), knows.member)
    if named:
        _follow(knows, named)


def before_stop(knows: UnitHandover, _: Mapping[str, str]) -> None:
    """Hand a master's role over while it still runs."""
    found = succession.of_stopping(knows.service, view(knows.service, TIMEOUT), knows.member)
    if not found.heirs:
        _say(f"nothing is handed over: {found.doubt}")
        return
    # Only here is a fence needed, and all that comes with it.
    from ..replication.handover import hand_over  # noqa: PLC0415

    done = hand_over(knows.service, knows.member, found.heirs[0], knows.described, elect=True)
    for each in (*(note.text for note in done.notes), *done.problems):
        _say(each)


def after_end(knows: UnitHandover, environment: Mapping[str, str]) -> None:
    """Replace a master that crashed, and let it come back as a replica."""
    how = crashed(environment)
    if not how:
        return
    held = HOLD.format(unit=knows.unit)
    if os.path.exists(held):  # noqa: PTH110 (see above)
        _say(f"nothing is done: it was killed on purpose, see {held}")
        return
    _say(f"{knows.member} has crashed ({how})")
    master = replace_crashed(knows.service, knows.member, knows.described, _say)
    if master:
        _follow(knows, master)


def _is_master(configuration: str) -> bool:
    from ..conf.text import parse_file  # noqa: PLC0415

    lines = parse_file(_read(configuration))
    return not any(line.name in ("replicaof", "slaveof") and line.words[:2] != ("no", "one") for line in lines)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
        return file.read()


def _follow(knows: UnitHandover, master: str) -> None:
    from pathlib import Path  # noqa: PLC0415

    from ..conf.edit import follow  # noqa: PLC0415

    place = next(each.announced for each in knows.service.members if each.id == master)
    follow(Path(knows.configuration), f"{place.address} {place.port}")
    _say(f"{knows.member} will start as a replica of {master} ({place})")


def _say(text: str) -> None:
    sys.stderr.write(f"redis-fleet: {text}\n")
    sys.stderr.flush()


_DOING = {START: before_start, STOP: before_stop, END: after_end}
