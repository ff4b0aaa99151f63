"""What every life has: a town, clients that write, what was seen, and the judgement; machine.py has the steps."""

from __future__ import annotations

import functools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, initialize

from redis_fleet.operations.switchover_report import FAILOVER
from tests.harness.live.processes import eventually
from tests.lives import errand, judging
from tests.lives.errand import Outcome
from tests.lives.fates import CRASHES, FAILING_OVER, fate_of
from tests.lives.history import BOTH, PLAIN
from tests.lives.judging import Records, WrongError
from tests.lives.meddling import Fate
from tests.lives.town import MONITOR, Towns
from tests.lives.units import Called, Units, Waiting
from tests.lives.watching import Watcher
from tests.lives.writers import Writer

_SOON = 0.005
QUIET = frozenset({"edit_live", "edit_restart", "deploy", "hand_over", "switchover", "by_hand", "settle"})
"""Steps that leave a service as well as it was."""


def step(method: Callable[..., None]) -> Callable[..., None]:
    """Count a step, note it as the script has it, and see afterwards what has to hold at any time."""

    @functools.wraps(method)
    def counted(life: Basis, **given: Any) -> None:
        name = method.__name__
        life.script.append(f"state.{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})")
        life.disturbed |= name not in QUIET or given.get("fate") is not None
        with life.timed(name):
            method(life, **given)
            life.take_note()

    return counted


class Basis(RuleBasedStateMachine):
    """The steps. Class attributes are for all lives of this process."""

    mutant = ""
    towns = Towns(Path(tempfile.gettempdir()))
    over = False
    """Whether nothing is judged any more: somebody ended the whole run."""
    ended: Callable[[Any, float, str], None] = staticmethod(lambda *_: None)
    begin: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self) -> None:
        """Begin in a town that was judged whole, or in a new one."""
        super().__init__()
        type(self).begin()
        self.script: list[str] = []
        self.records = Records()
        self.writers: list[Writer] = []
        self.watcher: Watcher | None = None
        # What the steps alone tell, for preconditions: anything else would differ when they are done again.
        self.away, self.disturbed, self.left = False, False, False
        self.abandoned = False
        self.calm, self.said = True, ""
        self.spent: dict[str, float] = {}
        self._began = time.monotonic()
        self.town = self.towns.take()
        self.units = Units(self.town, self.mutant)

    @initialize()
    def build(self) -> None:
        """Deploy where nothing runs yet, and begin to write."""
        with self.timed("build"):
            self._build()

    def _build(self) -> None:
        if not self.town.built:
            self.town.build()
        self.records.safe.append(judging.await_whole(self.town, "the first deployment"))
        judging.note_epochs(self.town, self.records)
        self.records.first = max(self.records.named)
        self.writers = [Writer(self.town, number, how) for number, how in enumerate((PLAIN, PLAIN, BOTH))]
        self.watcher = Watcher(self.town)
        self.watcher.start()
        for writer in self.writers:
            writer.start()
        # A replica hears nothing for a second after it was synchronised: offsets tell of nothing until then.
        eventually(lambda: all(each.acknowledged for each in self.writers), "something is written", 30)
        self.records.safe.append(judging.await_whole(self.town, "the first writes"))

    def take_note(self) -> None:
        """Look at the epochs, and whether all is safe now."""
        judging.note_epochs(self.town, self.records)
        if not self.town.frozen and (when := judging.in_step(self.town)):
            self.records.safe.append(when)

    def _away(self) -> bool:
        return bool(self.town.frozen) or not all(map(self.town.pid, self.town.servers))

    def _kill(self, *names: str) -> None:
        self.calm = False
        self.records.ended += [(time.time(), self.town.of(each).endpoint.port) for each in names]
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
        unasked = sum(each.at >= began for each in judging.failovers(self.town)) - (by == FAILOVER)
        if unasked > 0:
            # A Sentinel found the master down on a machine that is too busy: nothing can be said of how it went.
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
        self._see_replaced(name, called, "crash", began, calm=calm)

    def _stop(self, name: str, fate: tuple[int, str] | None, *, calm: bool) -> None:
        """Stop a server in order; whoever was the master has handed over before."""
        began, self.calm = time.time(), False
        called = self.units.stop(name, self._unit_fate(fate))
        self._true(called)
        self._see_replaced(name, called, "stop", began, calm=calm)
        self.records.ended.append((time.time(), self.town.of(name).endpoint.port))
        self.town.end(name)
        self.units.ended(name)

    def _unit_fate(self, fate: tuple[int, str] | None) -> Fate | None:
        if fate and fate[1] == FAILING_OVER:
            self.town.tell(self.town.sentinels[0], "SENTINEL", "FAILOVER", MONITOR)
            return None
        return fate_of(self.town, self.records, *fate) if fate else None

    def _see_replaced(self, name: str, called: Called, what: str, began: float, *, calm: bool) -> None:
        """A master that was well is replaced at once, unless the Sentinels were faster as all is too busy."""
        replaced = self.town.named() not in (name, "")
        self.records.noted[f"{what}: {'another is the master' if replaced else 'the master as before'}"] += 1
        if calm and not replaced and not any(each.at >= began for each in judging.failovers(self.town)):
            raise WrongError(f"{name} is still the master after its {what}: {called.said}")

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

    def _settle(self) -> None:
        self.town.thaw()
        for name in self.town.servers:
            self.town.tell(name, "CLIENT", "UNPAUSE")
        self.town.start(*self.town.sentinels)
        judging.await_named(self.town, "everybody was let go", seconds=judging.AGREE) if self._some_master() else None
        judging.repair(self.town)
        self.records.safe.append(judging.await_whole(self.town, "a deployment"))
        judging.note_epochs(self.town, self.records)
        self.calm = True

    def _some_master(self) -> bool:
        return any(map(self.town.pid, self.town.servers))

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Note how long something took, and what went wrong in it."""
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            self.said = str(error) or repr(error)
            raise
        finally:
            self.spent[what] = self.spent.get(what, 0.0) + time.monotonic() - began

    def _stop_writing(self) -> None:
        for writer in self.writers:
            writer.stop()
        if self.watcher:
            self.watcher.stop()

    def leave(self) -> None:
        """Stop writing; the town goes on where all was well."""
        if self.left:
            return
        self.left = True
        self._stop_writing()
        self.units.forget()
        if self.said or self.over or not self.writers:
            self.town.raze()
        else:
            self.towns.give_back(self.town, self.script)

    def teardown(self) -> None:
        """Put all right, stop writing, and judge."""
        try:
            if self.writers and not self.said and not self.over:
                with self.timed("end"):
                    self._settle()
                    self._stop_writing()
                    judging.nothing_wrong(self.town)
                    judging.judge_epochs(self.town, self.records)
                    if self.watcher:
                        judging.judge_masters(self.town, self.records, self.watcher)
                    judging.judge_writes(self.town, self.records, self.writers)
        finally:
            self.leave()
            type(self).ended(self, time.monotonic() - self._began, self.said)
