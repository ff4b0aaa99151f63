"""What every life has: a town, clients that write, what was seen, and the judgement; machine.py has the steps."""

from __future__ import annotations

import functools
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, initialize

from redis_fleet.agent.access import Access
from redis_fleet.observe.request import managed
from redis_fleet.operations.switchover_report import FAILOVER
from tests.lives import errand, judging
from tests.lives.errand import Outcome
from tests.lives.history import BOTH, PLAIN
from tests.lives.judging import Records, WrongError
from tests.lives.meddling import Fate
from tests.lives.town import MONITOR, Towns
from tests.lives.writers import Writer

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
        # What the steps alone tell, for preconditions: anything else would differ when they are done again.
        self.away, self.disturbed, self.left = False, False, False
        self.abandoned = False
        self.calm, self.said = True, ""
        self.spent: dict[str, float] = {}
        self._began = time.monotonic()
        self.town = self.towns.take()

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
        for writer in self.writers:
            writer.start()

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
        strike = self._fate(*fate) if fate else None
        if fate:
            self.calm = False
        outcome = errand.run(self.town.fleet, what, to, by, strike, self.mutant)
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

    def _fate(self, at: int, strike: str) -> Fate:
        town = self.town
        if strike == "dies":
            return Fate(at, dies=True)
        master, victims = town.who("master"), list(town.sentinels[1:])
        if strike == "cut off from two Sentinels":
            return Fate(at, cut=frozenset(town.of(each).endpoint.port for each in victims))
        if strike == "cut off from the master":
            return Fate(at, cut=frozenset({town.of(master).endpoint.port}))
        if strike == "a Sentinel fails over":
            access = managed(town.of(town.sentinels[0])).access
            return Fate(at, command=(Access(access.endpoint, access.secret), ("SENTINEL", "FAILOVER", MONITOR)))
        if strike == "two Sentinels die":
            return Fate(at, signals=tuple((town.pid(each), int(signal.SIGKILL)) for each in victims if town.pid(each)))
        name = town.who(strike.split(maxsplit=1)[0])
        if name in town.servers:
            self.records.ended.append((time.time(), town.of(name).endpoint.port))
        signals = ((pid, int(signal.SIGKILL)),) if (pid := town.pid(name)) else ()
        again = (tuple(town.launching(name)),) if strike.endswith("restarts") else ()
        return Fate(at, signals=signals, starts=again)

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

    def leave(self) -> None:
        """Stop writing; the town goes on where all was well."""
        if self.left:
            return
        self.left = True
        for writer in self.writers:
            writer.stop()
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
                    for writer in self.writers:
                        writer.stop()
                    judging.nothing_wrong(self.town)
                    judging.judge_epochs(self.town, self.records)
                    judging.judge_writes(self.town, self.records, self.writers)
        finally:
            self.leave()
            type(self).ended(self, time.monotonic() - self._began, self.said)
