"""One life of a deployment: random steps on real processes, under writes, and what must hold at its end.

**Which writes must be there in the end.** A server acknowledges a write before any replica has it, so a failover that
a Sentinel leads loses what the promoted replica had not got: that is Redis, and no fault of ours. All else must be
there. A life is cut by *safe points*: moments at which all three servers had everything and no failover was under way,
measured by offsets. Between two of them (or behind the last one, to the end):

- where no Sentinel promoted anybody, **every acknowledged write** is required: hand-overs of ours wait for all
  replicas behind a fence; a server that is killed and comes back has written to its append-only file before it answered
  (appendfsync always); a server that was frozen has lost nothing.
- where one did, **writes that both replicas had confirmed (WAIT 2)** are required: whoever was promoted has them.
  Unless the promoted one had itself been killed in between: Redis confirms a write to its master before the new
  append-only file of a replica that has just been synchronised is complete.
- where the unit of a master that crashed had another one promoted, the same: what no replica had is gone.
- WAIT 1 promises nothing here: a Sentinel compares the offsets that it heard last, up to 10 s ago, so it may choose the
  replica that was not the one that confirmed. Our own choices (the crash hand-over) compare offsets of now.

Writes that a frozen master acknowledged after another was promoted lie between the same two safe points as that
promotion, and are not required.

**Two masters.** Somebody writes to all three servers all the time. Two may take writes at once only where Sentinels
brought that about (they replaced a master that went on, or one ended in the middle of a failover and another began),
where a hand did (a start without what a unit asks before it, a promotion), or where whoever handed over was killed
between a promotion and its announcement: then nobody was told of the second one, and no client writes there.

**Towns.** A life begins in the sandbox that the one before left, which was just judged whole: its Sentinels' elections,
its configuration and its data go on. After some lives there is a new one, and each time after a life that went wrong.
"""

from __future__ import annotations

import time

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from redis_fleet.operations.switchover_report import ELECTION, FAILOVER
from tests.lives import judging
from tests.lives.basis import LIVE, MOSTLY, SENTINELS, SERVERS, step
from tests.lives.fates import CRASHES, FAILING_OVER
from tests.lives.life import Sandboxed
from tests.lives.living import MONITOR
from tests.lives.town import TIMEOUT

STRIKES = (
    "dies", "master dies", "master restarts", "first dies", "second dies", "sentinel1 dies", "two Sentinels die",
    "a Sentinel fails over", "cut off from two Sentinels", "cut off from the master", CRASHES,
)  # fmt: skip
UNIT_STRIKES = (
    "dies",
    "first dies",
    "second dies",
    "sentinel1 dies",
    "two Sentinels die",
    "cut off from two Sentinels",
)
LATE = (None, None, 0.0, 0.0, 0.9, 1.3)
"""Seconds, some of them about down-after-milliseconds: Sentinels then begin at the same moment. None: somebody waits
for the end, as on most machines."""
DURATIONS = (0.3, 2.5)
"""Seconds: shorter than down-after-milliseconds, and longer."""
# A failover by a Sentinel waits up to 10 s for its INFO.
_again = st.sampled_from((True, True, False))
_WAYS = (ELECTION, ELECTION, ELECTION, "", FAILOVER)
# Before a unit begins, and not in the middle: whoever orders that of one Sentinel passes over all the others.
_unit_fates = st.none() | st.just((0, FAILING_OVER)) | st.tuples(st.integers(0, 14), st.sampled_from(UNIT_STRIKES))
_fates = st.none() | st.tuples(st.integers(0, 24), st.sampled_from(STRIKES))


class Life(Sandboxed):
    """The steps."""

    # What the operator does.

    @rule(name=st.sampled_from(sorted(LIVE)), number=st.integers(0, 2))
    @step
    def edit_live(self, name: str, number: int) -> None:
        """Another value of a directive that a running server takes."""
        values = LIVE[name]
        self.town.describe(**{name: values[number % len(values)]})

    @rule(databases=st.sampled_from((16, 17, 18)))
    @step
    def edit_restart(self, databases: int) -> None:
        """Another value of a directive that takes a restart."""
        self.town.describe(databases=databases)

    @rule(fate=_fates)
    @step
    def deploy(self, fate: tuple[int, str] | None) -> None:
        """Deploy what is described."""
        self._run("deploy", None, "", fate)

    @rule(to=st.sampled_from(("", "first", "second")))
    @step
    def hand_over(self, to: str) -> None:
        """Hand the master over by an election, with nothing in the way."""
        self._run("switchover", self.town.who(to) if to else None, ELECTION, None)

    @rule(to=st.sampled_from(("", *SERVERS)), by=st.sampled_from(_WAYS), fate=_fates)
    @step
    def switchover(self, to: str, by: str, fate: tuple[int, str] | None) -> None:
        """Hand the master over."""
        self._run("switchover", self.town.who(to) if to else None, by, fate)

    @rule(at=st.integers(2, 5), strike=st.sampled_from(("cut off from two Sentinels", "two Sentinels die")))
    @step
    def hand_over_by_a_minority(self, at: int, strike: str) -> None:
        """Two Sentinels are gone just before they are asked for their votes."""
        self._run("switchover", None, ELECTION, (at, strike))

    @precondition(lambda self: not self.disturbed and not self.abandoned)
    @rule(at=st.integers(2, 12))
    @step
    def election_abandoned_and_crash(self, at: int) -> None:
        """The run dies in the middle of an election, then the master crashes: it is replaced as fast as ever."""
        self.abandoned = True
        if not self.calm:
            return
        for sentinel in self.town.sentinels:
            self.town.tell(sentinel, "SENTINEL", "SET", MONITOR, "failover-timeout", 60000)
        # Not waited for as long as an abandoned vote lasts without a bound.
        self._run("switchover", None, ELECTION, (at, "dies"))
        master = judging.await_named(self.town, "a run that died")
        self._kill(master)
        judging.await_named(self.town, "the crash of a master after an abandoned election", master, 20)
        for sentinel in self.town.sentinels:
            self.town.tell(sentinel, "SENTINEL", "SET", MONITOR, "failover-timeout", TIMEOUT)

    @rule(part=st.sampled_from(SERVERS), name=st.sampled_from(("timeout", "hz")))
    @step
    def by_hand(self, part: str, name: str) -> None:
        """CONFIG SET."""
        self.town.tell(self.town.who(part), "CONFIG", "SET", name, 33)

    @rule(sentinel=st.sampled_from(SENTINELS))
    @step
    def failover_by_hand(self, sentinel: str) -> None:
        """SENTINEL FAILOVER."""
        self.calm = False
        self.town.tell(self.town.who(sentinel), "SENTINEL", "FAILOVER", MONITOR)

    @rule(milliseconds=st.sampled_from((200, 3000)))
    @step
    def pause_by_hand(self, milliseconds: int) -> None:
        """CLIENT PAUSE on the master; it passes."""
        self.calm = False
        self.town.tell(self.town.who("master"), "CLIENT", "PAUSE", milliseconds)

    # What fails.

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(SERVERS), again=st.booleans())
    @step
    def kill(self, part: str, again: bool) -> None:
        """Kill -9 of a server, which is started again at once, or stays down."""
        self.away = not again
        if self._away():
            return
        name = self.town.who(part)
        self._kill(name)
        if again:
            self.start_by_hand(name)

    @rule(sentinel=st.sampled_from(SENTINELS), again=st.booleans())
    @step
    def kill_sentinel(self, sentinel: str, again: bool) -> None:
        """Kill -9 of a Sentinel."""
        self.calm = False
        name = self.town.who(sentinel)
        self.town.kill(name)
        if again:
            self.start_by_hand(name)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), fate=_unit_fates, late=st.sampled_from(LATE), again=_again)
    @step
    def crash(self, part: str, fate: tuple[int, str] | None, late: float | None, again: bool) -> None:
        """Kill -9 of a server, and what its unit does then; it is started again by that, or stays down."""
        self.away = not again
        if self._away():
            return
        name = self.town.who(part)
        calm = self.calm and fate is None and not late and part == "master"
        self._crash(name, fate, late, calm=calm)
        if again:
            self.started(name)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), machine=st.booleans(), fate=_unit_fates)
    @step
    def stop(self, part: str, machine: bool, fate: tuple[int, str] | None) -> None:
        """A server, or all of its machine, is stopped in order and started again."""
        if self._away():
            return
        name = self.town.who(part)
        self._stop(name, fate, calm=self.calm and fate is None and part == "master")
        others = [each for each in self.town.neighbours(name) if machine and each != name]
        self.town.kill(*others)
        self.town.start(*others)
        self.started(name)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(SERVERS))
    @step
    def reboot(self, part: str) -> None:
        """All processes of a machine end and start again."""
        if self._away():
            return
        names = self.town.neighbours(self.town.who(part))
        self._kill(*names)
        self.start_by_hand(*names)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(SERVERS), machine=st.booleans(), seconds=st.sampled_from(DURATIONS))
    @step
    def freeze(self, part: str, machine: bool, seconds: float) -> None:
        """A server, or all of its machine, is cut off for a while."""
        if self._away():
            return
        name = self.town.who(part)
        self._freeze(self.town.neighbours(name) if machine else [name])
        # A Sentinel that stands still for 2 s does nothing for 30 s: few lives are to wait for that.
        time.sleep(min(seconds, 1.7) if machine else seconds)
        self.town.thaw()

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(SERVERS))
    @step
    def freeze_for_longer(self, part: str) -> None:
        """A process is cut off until ``thaw``, or the end."""
        self.away = True
        if not self._away():
            self._freeze([self.town.who(part)])

    @precondition(lambda self: self.away)
    @rule()
    @step
    def back(self) -> None:
        """What was cut off is back, and a supervisor starts what is down."""
        self.away = False
        self.town.thaw()
        self.start_by_hand(*self.town.servers, *self.town.sentinels)
