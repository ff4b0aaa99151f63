"""What every life has: a deployment, clients that write, what was seen, what an operator does, and the judgement."""

from __future__ import annotations

import functools
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from redis_fleet.operations.switchover_report import FAILOVER
from tests.harness.live.processes import eventually
from tests.lives import judging
from tests.lives.history import BOTH, PLAIN
from tests.lives.judging import Records, WrongError
from tests.lives.living import Living, Towns
from tests.lives.watching import Watcher
from tests.lives.writers import Writer

SERVERS, SENTINELS = ("master", "first", "second"), ("sentinel1", "sentinel2", "sentinel3")
MOSTLY = ("master", "master", "master", "first", "second")
QUIET = frozenset({"edit_live", "edit_restart", "deploy", "hand_over", "switchover", "by_hand", "settle"})
"""Steps that leave a service as well as it was."""
LIVE = {"hz": (10, 20, 50), "timeout": (0, 300, 600), "maxmemory": ("100mb", "120mb")}
T = TypeVar("T", bound=Living)


def step(method: Callable[..., None]) -> Callable[..., None]:
    """Count a step, note it as the script has it, and see afterwards what has to hold at any time."""

    @functools.wraps(method)
    def counted(life: Basis[Any], **given: Any) -> None:
        name = method.__name__
        life.script.append(f"state.{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})")
        life.disturbed |= name not in QUIET or given.get("fate") is not None
        with life.timed(name):
            method(life, **given)
            life.take_note()

    return counted


class Basis(RuleBasedStateMachine, Generic[T]):
    """The steps that are the same everywhere. Class attributes are for all lives of this process."""

    towns: Towns[Any]
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
        self.calm, self.said = True, ""
        self.spent: dict[str, float] = {}
        self._began = time.monotonic()
        self.town: T = self.towns.take()

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

    @precondition(lambda self: self.disturbed)
    @rule()
    @step
    def settle(self) -> None:
        """Somebody puts everything right."""
        self.away = self.disturbed = False
        self.put_right()

    # What is seen.

    def take_note(self) -> None:
        """Look at the epochs, and whether all is safe now."""
        judging.note_epochs(self.town, self.records)
        if not self.town.silent and (when := judging.in_step(self.town)):
            self.records.safe.append(when)

    def unasked(self, began: float, by: str = "") -> bool:
        """Whether a Sentinel failed over that nobody had asked: on a machine that is too busy."""
        return sum(each.at >= began for each in judging.failovers(self.town)) > (by == FAILOVER)

    def see_replaced(self, name: str, said: str, what: str, began: float, *, calm: bool) -> None:
        """A master that was well is replaced at once, unless the Sentinels were faster as all is too busy."""
        replaced = self.town.named() not in (name, "")
        self.records.noted[f"{what}: {'another is the master' if replaced else 'the master as before'}"] += 1
        if calm and not replaced and not self.unasked(began):
            raise WrongError(f"{name} is still the master after its {what}: {said}")

    def settle_down(self, why: str) -> None:
        """Wait until a majority names a master, deploy, and wait until all is in step."""
        if why:
            judging.await_named(self.town, why)
        judging.repair(self.town)
        self.records.safe.append(judging.await_whole(self.town, "a deployment"))
        judging.note_epochs(self.town, self.records)
        self.calm = True

    @abstractmethod
    def put_right(self) -> None:
        """Let go of everybody and whatever was cut, and settle down."""

    @abstractmethod
    def forget(self) -> None:
        """Remove what lies outside of the town."""

    def note_endings(self) -> None:
        """Note what units did where that is only known in the end."""

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
        self.forget()
        if self.said or self.over or not self.writers:
            self.town.raze()
        else:
            self.towns.give_back(self.town, self.script)

    def teardown(self) -> None:
        """Put all right, stop writing, and judge."""
        try:
            if self.writers and not self.said and not self.over:
                with self.timed("end"):
                    self.put_right()
                    self._stop_writing()
                    judging.nothing_wrong(self.town)
                    judging.judge_epochs(self.town, self.records)
                    self.note_endings()
                    if self.watcher:
                        judging.judge_masters(self.town, self.records, self.watcher)
                    judging.judge_writes(self.town, self.records, self.writers)
        finally:
            self.leave()
            type(self).ended(self, time.monotonic() - self._began, self.said)
