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
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from ..engine_words import MASTER
from ..messages.service import ServiceView
from ..messages.unit_handover import END, KNOWLEDGE, READY, START, STOP, WAIT, UnitHandover, heir_of
from ..replication import succession
from ..replication.crash_handover import TIMEOUT, replace_crashed
from ..replication.view import map_parallel, member_view, sentinel_view, view
from . import waiting

_SECONDS = {START: 2.0, STOP: 30.0, END: 12.0}
"""After these the kernel ends it, whatever it waits for."""


def main(arguments: Sequence[str], file: str) -> int:
    """Do what a unit calls it for; ``file`` is what it knows. Never fails a unit.

    ``start``, ``stop`` and ``end`` do something, ``ready`` and ``wait`` (for the end of a pid) prepare for ``end``.
    """
    occasion = arguments[0] if arguments else ""
    if occasion not in (READY, WAIT, *_DOING):
        _say(f"'{occasion}' is none of {', '.join(_DOING)}")
        return 2
    try:
        if occasion == READY:
            waiting.begin(_known(file).unit, sys.argv[0])
        elif occasion == WAIT:
            _wait(file, int(arguments[1]))
        else:
            do(occasion, file)
    except (OSError, ValueError, LookupError, RuntimeError) as error:
        _say(f"nothing is done: {error}")
    return 0


def do(occasion: str, file: str) -> None:
    """Do what there is to do at the start, before the stop or after the end of a server, for a bounded time."""
    signal.setitimer(signal.ITIMER_REAL, _SECONDS[occasion])
    _DOING[occasion](_known(file))


def main_beside(code: str, arguments: Sequence[str]) -> int:
    """Do it for the file of the code that runs: what is known lies beside it."""
    return main(arguments, os.path.join(os.path.dirname(code), KNOWLEDGE))  # noqa: PTH118, PTH120


def before_start(knows: UnitHandover) -> None:
    """Let a server that was the master come back as a replica where the Sentinels agree on another one by now."""
    if not _is_master(knows.configuration):
        return
    target = knows.service
    sentinels = map_parallel(lambda node: sentinel_view(target, node, TIMEOUT), target.sentinels)
    named = succession.replacement(target, ServiceView(time.time(), tuple(sentinels)), knows.member) or _heir(knows)
    if named:
        _follow(knows, named)


def _heir(knows: UnitHandover) -> str:
    """Return the member (id) that a hand-over promoted before it was killed itself; no Sentinel knows of it yet.

    Nobody else's promotion counts here: who was promoted by hand may lack what this server has.
    """
    try:
        name = _read(heir_of(knows.unit))
    except FileNotFoundError:
        return ""
    node = next((each for each in knows.service.members if each.id == name), None)
    return name if node and member_view(knows.service, node, TIMEOUT).role == MASTER else ""


def before_stop(knows: UnitHandover) -> None:
    """Hand a master's role over while it still runs."""
    found = succession.of_stopping(knows.service, view(knows.service, TIMEOUT), knows.member)
    if not found.heirs:
        _say(f"nothing is handed over: {found.doubt}")
        return
    # Only here is a fence needed, and all that comes with it.
    from ..replication.handover import hand_over  # noqa: PLC0415

    old, heir = knows.member, found.heirs[0]
    done = hand_over(
        knows.service, old, heir, knows.described, elect=True, about_to_promote=partial(_leave_word, knows)
    )
    for each in (*(note.text for note in done.notes), *done.problems):
        _say(each)
    if not done.master or not _is_master(knows.configuration):
        _take_word_away(knows)


def after_end(knows: UnitHandover) -> None:
    """Replace a master that ended by itself, and let it come back as a replica.

    A server whose file says that it is a replica comes back as one, whatever it was: so the second that is called for
    the same end finds nothing to do.
    """
    if waiting.stopped_on_purpose(knows.unit) or not _is_master(knows.configuration):
        return
    _say(f"{knows.member} has ended")
    master = replace_crashed(knows.service, knows.member, knows.described, _say, partial(_leave_word, knows))
    if master:
        _follow(knows, master)
    _take_word_away(knows)


def _wait(file: str, pid: int) -> None:
    from ..conf import edit, text  # noqa: F401, PLC0415 (now, as clients wait later)

    waiting.wait(_known(file).unit, sys.argv[0], pid, lambda: do(END, file))


def _known(file: str) -> UnitHandover:
    return UnitHandover.from_text(_read(file))


def _is_master(configuration: str) -> bool:
    from ..conf.text import parse_file  # noqa: PLC0415

    lines = parse_file(_read(configuration))
    return not any(line.name in ("replicaof", "slaveof") and line.words[:2] != ("no", "one") for line in lines)


def _leave_word(knows: UnitHandover, heir: str) -> None:
    with open(heir_of(knows.unit), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(heir)


def _take_word_away(knows: UnitHandover) -> None:
    with suppress(FileNotFoundError):
        os.unlink(heir_of(knows.unit))  # noqa: PTH108


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
