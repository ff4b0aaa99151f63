"""One life on hosts with systemd: random steps under writes, with packets that are dropped; machine.py says what holds.

Commands are the real ones, and units do what they do by themselves. At most one machine is lost at a time: cut off from
the others, or from one of them, or with one of its ports, frozen, or off. Clients reach all machines all the time: a
master that is cut off goes on and acknowledges what is gone when it is back, as after any failover by a Sentinel.

What a unit did after a crash is told by its journal: what it promoted counts as what a Sentinel promotes.
"""

from __future__ import annotations

import time

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.lives.basis import LIVE, MOSTLY, SENTINELS, SERVERS, step
from tests.lives.host_life import (
    COMMAND_DIES,
    CUT,
    FENCED,
    KILLED,
    LONG,
    LOSES_POWER,
    PROMOTED,
    WAYS,
    Fate,
    OnHosts,
)
from tests.lives.living import MONITOR

_SECONDS = (0.3, 1.5, LONG)
"""Shorter than down-after-milliseconds, about as long, and enough for a failover."""
_fates = st.none() | st.tuples(
    st.sampled_from((FENCED, FENCED, PROMOTED, 1.0, 2.0, 4.0)),
    st.sampled_from(SERVERS),
    st.sampled_from((COMMAND_DIES, CUT, CUT, LOSES_POWER, KILLED)),
)


class HostLife(OnHosts):
    """The steps."""

    # What the operator does.

    @precondition(lambda self: not self.tried)
    @rule(edit=st.sampled_from(("", "restart", *sorted(LIVE))), number=st.integers(0, 2), fate=_fates)
    @step
    def deploy(self, edit: str, number: int, fate: Fate | None) -> None:
        """Deploy what is described, with another value of a directive, or of one that takes a restart."""
        if edit == "restart":
            self.town.describe(databases=16 + number)
        elif edit:
            self.town.describe(**{edit: LIVE[edit][number % len(LIVE[edit])]})
        self.command(fate, "deploy")

    @precondition(lambda self: not self.tried)
    @rule(to=st.sampled_from(("", *SERVERS)), fate=_fates)
    @step
    def switchover(self, to: str, fate: Fate | None) -> None:
        """Hand the master over."""
        self.command(fate, "switchover", "orders", *(("--to", self.town.who(to)) if to else ()))

    # What fails.

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), way=st.sampled_from(sorted(WAYS)), seconds=st.sampled_from(_SECONDS))
    @step
    def cut_off(self, part: str, way: str, seconds: float) -> None:
        """A machine hears nothing of the two others, or they nothing of it, or both."""
        self.cut(part, ways=WAYS[way])
        self.goes_on(part, seconds, replaced=way == "both")

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(SERVERS), other=st.integers(0, 1), seconds=st.sampled_from(_SECONDS))
    @step
    def cut_between(self, part: str, other: int, seconds: float) -> None:
        """Two machines do not reach one another."""
        self.cut(part, only=other)
        time.sleep(seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), sentinel=st.booleans(), seconds=st.sampled_from(_SECONDS))
    @step
    def cut_port(self, part: str, sentinel: bool, seconds: float) -> None:
        """A machine and the two others do not reach one another's servers, or Sentinels."""
        names = self.town.sentinels if sentinel else self.town.servers
        self.cut(part, port=self.town.of(names[0]).endpoint.port)
        time.sleep(seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY))
    @step
    def kill(self, part: str) -> None:
        """Kill -9 of a server: its unit does what it does, and starts it again."""
        if not self.lost():
            self.kill_part(part)

    @precondition(lambda self: self.away)
    @rule(part=st.sampled_from(MOSTLY))
    @step
    def kill_meanwhile(self, part: str) -> None:
        """Kill -9 of a server while a machine is cut off: perhaps the one there."""
        if not self.town.gone:
            self.kill_part(part)

    @rule(sentinel=st.sampled_from(SENTINELS), leads=st.booleans(), dies=st.booleans())
    @step
    def sentinel_dies(self, sentinel: str, leads: bool, dies: bool) -> None:
        """Kill -9 of a Sentinel, which its unit starts again, perhaps while it fails over as a hand has ordered."""
        name = self.town.who(sentinel)
        if self.town.machine(name) not in self.town.gone:
            self.calm = False
            if leads:
                self.town.tell(name, "SENTINEL", "FAILOVER", MONITOR)
            if dies:
                self.town.kill(name)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from((0.0, *_SECONDS)))
    @step
    def stop(self, part: str, seconds: float) -> None:
        """A server is stopped in order and started again."""
        if self.lost():
            return
        name, calm, began = self.town.who(part), self.calm and part == "master", time.time()
        self.calm = False
        self.ends(name)
        self.town.stop(name)
        self.see_replaced(name, "", "stop", began, calm=calm)
        time.sleep(seconds)
        self.town.start(name)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from((0.0, LONG)))
    @step
    def reboot(self, part: str, seconds: float) -> None:
        """A machine is shut down in order and started again."""
        if self.lost():
            return
        name, calm, began = self.town.who(part), self.calm and part == "master", time.time()
        self.end_all(name, self.town.shut_down)
        self.see_replaced(name, "", "reboot", began, calm=calm)
        self.come_back(name, seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from((0.0, LONG)))
    @step
    def lose_power(self, part: str, seconds: float) -> None:
        """A machine has no power for a while."""
        if self.lost():
            return
        name = self.town.who(part)
        self.end_all(name, self.town.power_off)
        self.come_back(name, seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from(_SECONDS), stays=st.booleans())
    @step
    def freeze(self, part: str, seconds: float, stays: bool) -> None:
        """Nothing runs on a machine for a while, or until ``heal``."""
        self.away = stays
        if self.lost():
            return
        self.calm = False
        machine = self.town.machine(self.town.who(part))
        self.town.freeze(machine)
        time.sleep(seconds)
        if not stays:
            self.town.back(machine)

    @precondition(lambda self: self.away)
    @rule()
    @step
    def heal(self) -> None:
        """What was cut off or frozen is back."""
        self.away = False
        self.town.restore()
