"""One life on hosts with systemd: random steps under writes, with packets that are dropped; machine.py says what holds.

Commands are the real ones, and units do what they do by themselves. At most one machine is lost at a time: cut off from
the others, or from one of them, or with one of its ports, frozen, or off. Clients reach all machines all the time: a
master that is cut off goes on and acknowledges what is gone when it is back, as after any failover by a Sentinel.

What a unit did after a crash is told by its journal: what it promoted counts as what a Sentinel promotes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from redis_fleet.agent.replication.fence import FENCE, MIN_REPLICAS
from tests.harness.hosts.deployment import Done, finish, kill
from tests.harness.live.processes import eventually
from tests.harness.parts import LOGS
from tests.lives import judging
from tests.lives.basis import LIVE, MOSTLY, SENTINELS, SERVERS, Basis, step
from tests.lives.history import replacements
from tests.lives.host_town import HostTown
from tests.lives.judging import WrongError
from tests.lives.units import Called

FENCED, PROMOTED = "fenced", "promoted"
COMMAND_DIES, CUT, LOSES_POWER, KILLED = "the command dies", "is cut off", "loses power", "is killed"
WAYS = {"both": ("INPUT", "OUTPUT"), "in": ("INPUT",), "out": ("OUTPUT",)}
_SECONDS = (0.3, 1.5, 5.0)
"""Shorter than down-after-milliseconds, about as long, and enough for a failover."""
_BACK = 60.0
_LOOK = 0.001
_fates = st.none() | st.tuples(
    st.sampled_from((FENCED, FENCED, PROMOTED, 1.0, 4.0)),
    st.sampled_from(SERVERS),
    st.sampled_from((COMMAND_DIES, CUT, CUT, LOSES_POWER, KILLED)),
)
Fate = tuple[object, str, str]
"""When (FENCED, PROMOTED, or after seconds), to which part, and what."""


class HostLife(Basis[HostTown]):
    """The steps."""

    def __init__(self) -> None:
        """Begin on hosts."""
        super().__init__()
        self.started = time.time()

    # What the operator does.

    @rule(edit=st.sampled_from(("", "restart", *sorted(LIVE))), number=st.integers(0, 2), fate=_fates)
    @step
    def deploy(self, edit: str, number: int, fate: Fate | None) -> None:
        """Deploy what is described, with another value of a directive, or of one that takes a restart."""
        if edit == "restart":
            self.town.describe(databases=16 + number)
        elif edit:
            self.town.describe(**{edit: LIVE[edit][number % len(LIVE[edit])]})
        self._run(fate, "deploy")

    @rule(to=st.sampled_from(("", *SERVERS)), fate=_fates)
    @step
    def switchover(self, to: str, fate: Fate | None) -> None:
        """Hand the master over."""
        self._run(fate, "switchover", "orders", *(("--to", self.town.who(to)) if to else ()))

    # What fails.

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), way=st.sampled_from(sorted(WAYS)), seconds=st.sampled_from(_SECONDS))
    @step
    def cut_off(self, part: str, way: str, seconds: float) -> None:
        """A machine hears nothing of the two others, or they nothing of it, or both."""
        self._cut(part, ways=WAYS[way])
        self._goes_on(part, seconds, replaced=way == "both")

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(SERVERS), other=st.integers(0, 1), seconds=st.sampled_from(_SECONDS))
    @step
    def cut_between(self, part: str, other: int, seconds: float) -> None:
        """Two machines do not reach one another."""
        self._cut(part, only=other)
        time.sleep(seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), sentinel=st.booleans(), seconds=st.sampled_from(_SECONDS))
    @step
    def cut_port(self, part: str, sentinel: bool, seconds: float) -> None:
        """A machine and the two others do not reach one another's servers, or Sentinels."""
        names = self.town.sentinels if sentinel else self.town.servers
        self._cut(part, port=self.town.of(names[0]).endpoint.port)
        time.sleep(seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY))
    @step
    def kill(self, part: str) -> None:
        """Kill -9 of a server: its unit does what it does, and starts it again."""
        if not self._lost():
            self._kill(part)

    @precondition(lambda self: self.away)
    @rule(part=st.sampled_from(MOSTLY))
    @step
    def kill_meanwhile(self, part: str) -> None:
        """Kill -9 of a server while a machine is cut off: perhaps the one there."""
        if not self.town.gone:
            self._kill(part)

    @rule(sentinel=st.sampled_from(SENTINELS))
    @step
    def kill_sentinel(self, sentinel: str) -> None:
        """Kill -9 of a Sentinel; its unit starts it again."""
        name = self.town.who(sentinel)
        if self.town.machine(name) not in self.town.gone:
            self.calm = False
            self.town.kill(name)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from((0.0, *_SECONDS)))
    @step
    def stop(self, part: str, seconds: float) -> None:
        """A server is stopped in order and started again."""
        if self._lost():
            return
        name, calm, began = self.town.who(part), self.calm and part == "master", time.time()
        self.calm = False
        self._ends(name)
        self.town.stop(name)
        self.see_replaced(name, "", "stop", began, calm=calm)
        time.sleep(seconds)
        self.town.start(name)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from((0.0, 5.0)))
    @step
    def reboot(self, part: str, seconds: float) -> None:
        """A machine is shut down in order and started again."""
        if self._lost():
            return
        name, calm, began = self.town.who(part), self.calm and part == "master", time.time()
        self._end_all(name, self.town.shut_down)
        self.see_replaced(name, "", "reboot", began, calm=calm)
        self._back(name, seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from((0.0, 5.0)))
    @step
    def lose_power(self, part: str, seconds: float) -> None:
        """A machine has no power for a while."""
        if self._lost():
            return
        name = self.town.who(part)
        self._end_all(name, self.town.power_off)
        self._back(name, seconds)

    @precondition(lambda self: not self.away)
    @rule(part=st.sampled_from(MOSTLY), seconds=st.sampled_from(_SECONDS), stays=st.booleans())
    @step
    def freeze(self, part: str, seconds: float, stays: bool) -> None:
        """Nothing runs on a machine for a while, or until ``heal``."""
        self.away = stays
        if self._lost():
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

    @precondition(lambda self: self.disturbed)
    @rule()
    @step
    def settle(self) -> None:
        """Somebody puts everything right."""
        self.away = self.disturbed = False
        self.put_right()

    # How.

    def _lost(self) -> bool:
        """Whether a machine, or a server, is lost now."""
        return bool(self.town.gone or self.town.cut) or not all(map(self.town.answers, self.town.servers))

    def _cut(
        self, part: str, *, ways: tuple[str, ...] = WAYS["both"], port: int | None = None, only: int | None = None
    ) -> None:
        self.away = True
        if self._lost():
            return
        self.calm = False
        machine = self.town.machine(self.town.who(part))
        self.town.cutting(machine, *self._others(machine, only), ways=ways, port=port)()

    def _others(self, machine: str, only: int | None = None) -> list[str]:
        others = [each for each in self.town.deployment.hosts if each != machine]
        return others if only is None else [others[only]]

    def _goes_on(self, part: str, seconds: float, *, replaced: bool) -> None:
        """A master that is cut off is replaced by the two others."""
        machine = next(iter(self.town.cut), "")
        time.sleep(seconds)
        if part == "master" and replaced and seconds == max(_SECONDS) and machine:
            name = next(each for each in self.town.servers if self.town.machine(each) == machine)
            judging.await_named(self.town, f"{machine} was cut off", name)

    def _ends(self, *names: str) -> None:
        self.calm = False
        self.records.ended += [(time.time(), self.town.place(each)) for each in names if each in self.town.servers]

    def _kill(self, part: str) -> None:
        name, calm, began = self.town.who(part), self.calm and part == "master", time.time()
        self._end_one(name)
        self._await(name, "its kill")
        self.see_replaced(name, "", "kill", began, calm=calm)

    def _end_one(self, name: str) -> None:
        self._ends(name)
        self.town.kill(name)

    def _end_all(self, name: str, how: Callable[[str], None]) -> None:
        self._ends(name)
        how(self.town.machine(name))

    def _back(self, name: str, seconds: float) -> None:
        time.sleep(seconds)
        self.town.back(self.town.machine(name))
        self._await(name, "its machine was started")
        self.town.hasten()

    def _await(self, name: str, why: str) -> None:
        eventually(lambda: self.town.answers(name), f"{name} answers again after {why}", _BACK)

    def _run(self, fate: Fate | None, verb: str, *words: str) -> None:
        calm, began = self.calm and fate is None, time.time()
        strike = self._strike(fate, began) if fate else None
        process = self.town.deployment.start(verb, *words, "--yes")
        try:
            if fate and strike and self._comes(fate[0], process.poll):
                if fate[2] == COMMAND_DIES:
                    kill(process)
                strike()
                self.records.noted[f"{verb}: {fate[2]} when {fate[0]}"] += 1
        except BaseException:
            kill(process)
            raise
        done = finish(process)
        for machine in [each for each, how in self.town.gone.items() if how == "off"]:
            self._back(next(each for each in self.town.servers if self.town.machine(each) == machine), 0.0)
        self._judge(done, verb, began, calm=calm)

    def _judge(self, done: Done, verb: str, began: float, *, calm: bool) -> None:
        self.records.noted[f"{verb}: {'well' if calm else 'not well'}, exit code {done.code}"] += 1
        if self.unasked(began):
            # Nothing can be said of how it went.
            self.calm = False
            return
        if calm and done.code:
            raise WrongError(f"{verb} of a deployment that was well: {done.text}")
        if verb == "switchover" and calm:
            lost, new = done.json["acknowledged_lost"], done.json["new_master"]
            if lost or self.town.named() != new:
                raise WrongError(f"switchover to {new} lost {lost}, and {self.town.named()} is the master: {done.text}")

    def _strike(self, fate: Fate, began: float) -> Callable[[], None] | None:
        """Return what happens in the middle of a command; None where a machine is lost already."""
        _, part, what = fate
        if what == COMMAND_DIES:
            # Nobody may have heard of whom it promoted.
            self.calm = False
            return lambda: self.records.excused.append(began)
        was_away, self.calm = self.away, False
        self.away |= what == CUT
        if was_away or self._lost():
            return None
        name = self.town.who(part)
        if what == CUT:
            machine = self.town.machine(name)
            return self.town.cutting(machine, *self._others(machine))
        return lambda: self._end_one(name) if what == KILLED else self._end_all(name, self.town.power_off)

    def _comes(self, moment: object, ended: Callable[[], int | None]) -> bool:
        """Wait for a moment of a command; whether it came before the end."""
        began, old = time.monotonic(), self.town.who("master")
        others = [each for each in self.town.servers if each != old]
        while ended() is None:
            if isinstance(moment, float):
                if time.monotonic() > began + moment:
                    return True
            elif self._is_fenced(old) if moment == FENCED else any(map(self._is_master, others)):
                return True
            time.sleep(_LOOK)
        return False

    def _is_fenced(self, name: str) -> bool:
        return bool(self.town.tell(name, "CONFIG", "GET", MIN_REPLICAS) == [MIN_REPLICAS, str(FENCE)])

    def _is_master(self, name: str) -> bool:
        role = self.town.tell(name, "ROLE")
        return isinstance(role, list) and role[0] == "master"

    def put_right(self) -> None:
        """Heal and start everything, and settle down."""
        self.town.restore()
        for name in self.town.servers:
            self._await(name, "everything was started")
        self.settle_down("everything was started")

    def forget(self) -> None:
        """Keep the logs of a life that went wrong: the hosts go."""
        if self.said and self.town.built:
            folder = LOGS / f"{self.town.name}-{round(self.started)}"
            self.records.noted[f"logs kept in {folder}"] += 1
            self.town.keep(folder, self.started)

    def note_endings(self) -> None:
        """Note when units replaced a master that had ended."""
        if self.records.ended:
            first = min(at for at, _ in self.records.ended)
            found = replacements(self.town.journals(first - 1))
            self.records.calls += [Called(since, until) for since, until in found]
