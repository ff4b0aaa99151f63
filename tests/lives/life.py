"""What happens to a life in a sandbox, and what units do then; machine.py has the steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.lives import errand
from tests.lives.basis import Basis
from tests.lives.errand import Outcome
from tests.lives.fates import CRASHES, FAILING_OVER, fate_of
from tests.lives.judging import WrongError
from tests.lives.living import MONITOR
from tests.lives.meddling import Fate
from tests.lives.town import Town
from tests.lives.units import Called, Units, Waiting

_SOON = 0.005


class Sandboxed(Basis[Town]):
    """What the steps do."""

    mutant = ""

    def __init__(self) -> None:
        """Begin in a sandbox."""
        super().__init__()
        self.abandoned = False
        self.units = Units(self.town, self.mutant)

    def _away(self) -> bool:
        return bool(self.town.frozen) or not all(map(self.town.pid, self.town.servers))

    def _kill(self, *names: str) -> None:
        self.calm = False
        self.records.ended += [(time.time(), self.town.place(each)) for each in names]
        self.town.kill(*names)

    def _freeze(self, names: list[str]) -> None:
        self.calm = False
        self.town.freeze(names)

    def _run(self, what: str, to: str | None, by: str, fate: tuple[int, str] | None) -> None:
        calm, began = self.calm and fate is None, time.time()
        strike = fate_of(self.town, self.records, *fate) if fate else None
        if fate:
            self.calm = False
        if strike and (strike.command or strike.starts):
            # A hand orders a failover, or starts what was the master, in the middle of it all.
            self.records.excused.append(began)
        mourned = self.town.who("master") if fate and fate[1] == CRASHES else ""
        with self._mourned(mourned):
            outcome = errand.run(self.town.fleet, what, to, by, strike, self.mutant)
        if outcome.code == "killed" and outcome.promoting:
            self.records.excused.append(began)
        for pid_of in list(self.town.frozen):
            if not self.town.pid(pid_of):
                self.town.frozen.pop(pid_of)
        self._judge(what, outcome, by, calm=calm, began=began)

    def _judge(self, what: str, outcome: Outcome, by: str, *, calm: bool, began: float) -> None:
        if outcome.untrue:
            raise WrongError(outcome.untrue)
        if self.unasked(began, by):
            # Nothing can be said of how it went.
            self.calm = False
            return
        if outcome.broken and not outcome.struck:
            raise WrongError("; ".join(outcome.broken))
        if calm and outcome.code not in ("ok", "passing"):
            raise WrongError(f"{what} of a deployment that was well: {outcome.code}: {outcome.said}")

    @contextmanager
    def _mourned(self, name: str) -> Iterator[None]:
        """Where a server crashes meanwhile, do what its unit does then, and start it again."""
        over, failed = threading.Event(), []

        def watch() -> None:
            try:
                while self.town.pid(name):
                    if over.wait(_SOON):
                        return
                self.crashed(name, None)
                self.started(name)
            except Exception as error:  # noqa: BLE001 (it is raised where it is waited for)
                failed.append(error)

        thread = threading.Thread(target=watch)
        if name:
            thread.start()
        try:
            yield
        finally:
            over.set()
            if name:
                thread.join()
        if failed:
            raise failed[0]

    def crashed(self, name: str, fate: Fate | None, waits: Waiting | None = None) -> Called:
        """Do what the unit of a server does after its crash, and before that whoever waits for it."""
        if waits:
            self._note_call(waits.end(), fate)
        return self._note_call(self.units.ended(name, None if waits else fate), fate)

    def _note_call(self, called: Called, fate: Fate | None) -> Called:
        self.records.calls.append(called)
        if fate and fate.command:
            # From then on there is a master that somebody made by hand.
            self.records.excused.append(called.ended)
        if called.killed and called.promoting:
            # Nobody has heard of the new one: what comes back, or the Sentinels, know nothing of it.
            self.records.excused.append(called.began)
        self._true(called)
        return called

    def _crash(self, name: str, fate: tuple[int, str] | None, late: float | None, *, calm: bool) -> None:
        """Without ``late`` somebody waits for the end already."""
        strike, began = self._unit_fate(fate), time.time()
        waits = self.units.waiting(name, strike) if late is None else None
        self._kill(name)
        time.sleep(late or 0.0)
        called = self.crashed(name, strike, waits)
        self.see_replaced(name, called.said, "crash", began, calm=calm)

    def _stop(self, name: str, fate: tuple[int, str] | None, *, calm: bool) -> None:
        """Stop a server in order; whoever was the master has handed over before."""
        began, self.calm = time.time(), False
        called = self.units.stop(name, self._unit_fate(fate))
        self._true(called)
        self.see_replaced(name, called.said, "stop", began, calm=calm)
        self.records.ended.append((time.time(), self.town.place(name)))
        self.town.end(name)
        self.units.ended(name)

    def _unit_fate(self, fate: tuple[int, str] | None) -> Fate | None:
        if fate and fate[1] == FAILING_OVER:
            self.town.tell(self.town.sentinels[0], "SENTINEL", "FAILOVER", MONITOR)
            return None
        return fate_of(self.town, self.records, *fate) if fate else None

    def start_by_hand(self, *names: str) -> None:
        """Start processes without asking anybody; what was the master meanwhile takes writes again."""
        down = [each for each in names if each in self.town.servers and not self.town.pid(each)]
        if down and self.town.named() not in ("", *down):
            self.records.excused.append(time.time())
        self.town.start(*names)

    def started(self, name: str) -> None:
        """Start a server as its unit does."""
        self._true(self.units.start(name))
        self.town.start(name)

    @staticmethod
    def _true(called: Called) -> None:
        if called.untrue:
            raise WrongError(called.untrue)

    def put_right(self) -> None:
        """Let go of everybody, start the Sentinels, and settle down."""
        self.town.thaw()
        for name in self.town.servers:
            self.town.tell(name, "CLIENT", "UNPAUSE")
        self.town.start(*self.town.sentinels)
        self.settle_down("everybody was let go" if any(map(self.town.pid, self.town.servers)) else "")

    def forget(self) -> None:
        """Remove what units leave."""
        self.units.forget()
