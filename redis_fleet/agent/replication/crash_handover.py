"""Replace a master whose process has ended: the replica with the newest data is elected, promoted and announced.

It is done on the machine where the process ended, which is known there for certain: nobody waits for a timeout. What
is in doubt before the votes changes nothing, and what fails after them leaves the Sentinels as fast as ever, see
election.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from ..messages.service import ServiceAccess
from ..messages.usual_values import Described
from . import succession
from .connections import Servers
from .election import Election
from .roles import GaveUpError, announcing, follow, lift, promote_one, why
from .view import CONNECTION_ERRORS, map_parallel, members_view, view
from .voter import NotElectedError

TIMEOUT = 0.5
PREPARATION = 1.0
"""Seconds: of each connection and reply, and of the time in which replicas find their links closed."""
PAUSE = 0.005


def replace_crashed(
    target: ServiceAccess,
    old: str,
    described: Described,
    note: Callable[[str], None],
    about_to_promote: Callable[[str], None] = lambda _: None,
) -> str:
    """Give a crashed master (id) a successor; returns its id, empty where that is left to the Sentinels.

    ``note`` takes what happens, in words: the last ones are why nothing was done. ``about_to_promote`` is told each
    heir (id) just before it may become the master.
    """
    with Servers(target, TIMEOUT) as servers:
        return _CrashHandover(target, servers, old, described, note, about_to_promote).run()


class _CrashHandover:
    """One of them: the steps share what was found."""

    def __init__(
        self,
        target: ServiceAccess,
        servers: Servers,
        old: str,
        described: Described,
        note: Callable[[str], None],
        about_to_promote: Callable[[str], None],
    ) -> None:
        self._target, self._servers, self._old = target, servers, old
        self._described, self._note, self._about_to_promote = described, note, about_to_promote
        self._election = Election(target, old, note, timeout=TIMEOUT, lost=True)

    def run(self) -> str:
        master = ""
        try:
            heirs = self._await_heirs()
            self._prepare(heirs)
            self._election.win()
            self._see_that_none_is_master()
            master = self._promote(heirs)
        except (GaveUpError, NotElectedError, *CONNECTION_ERRORS) as error:
            self._note(f"left to the Sentinels: {why(error)}")
        finally:
            self._tell(self._election.close())
        return master

    def _await_heirs(self) -> tuple[str, ...]:
        deadline = time.monotonic() + PREPARATION
        seen = view(self._target, TIMEOUT)
        while True:
            found = succession.of_crashed(self._target, seen, self._old)
            if found.heirs:
                return found.heirs
            if not found.wait or time.monotonic() > deadline:
                raise GaveUpError(found.doubt)
            time.sleep(PAUSE)
            # What the Sentinels say is looked at once more before they vote.
            seen = replace(seen, members=members_view(self._target, TIMEOUT))

    def _prepare(self, heirs: tuple[str, ...]) -> None:
        """All at the same time, as clients wait."""
        todo: list[Callable[[], None]] = [self._election.prepare]
        todo += [partial(self._get_ready, name) for name in heirs]
        map_parallel(lambda do: do(), todo)
        self._election.shorten()

    def _get_ready(self, heir: str) -> None:
        lift(self._servers, heir, self._described)
        self._servers.get_ready(heir)

    def _see_that_none_is_master(self) -> None:
        """A Sentinel that could not be asked may have failed over meanwhile."""
        others = [each.id for each in self._target.members if each.id != self._old]
        masters = [name for name, is_one in zip(others, map_parallel(self._is_master, others)) if is_one]
        if masters:
            raise GaveUpError(f"{', '.join(masters)} is a master already")

    def _is_master(self, name: str) -> bool:
        """Whoever does not answer is nobody's master."""
        try:
            return self._servers.is_master(name)
        except CONNECTION_ERRORS:
            return False

    def _promote(self, heirs: Iterable[str]) -> str:
        master, unsaved, failed = promote_one(self._servers, announcing(heirs, self._about_to_promote), self._old)
        self._tell([*unsaved, *failed])
        # Even where no Sentinel could be told: it takes writes, so the old one must not when it comes back.
        place = self._servers.node(master).announced
        self._tell(self._election.announce(master, place, lambda: self._servers.is_master(master)))
        self._note(f"{master} is the master in the place of {self._old}")
        others = [each.id for each in self._target.members if each.id not in (master, self._old)]
        for problems in map_parallel(lambda name: follow(self._servers, name, master), others):
            self._tell(problems)
        return master

    def _tell(self, problems: Iterable[str]) -> None:
        for each in problems:
            self._note(each)
