"""What happens to a life on hosts, and in the middle of its commands; host_machine.py has the steps."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis_fleet.agent.replication.fence import FENCE, MIN_REPLICAS
from tests.harness.hosts.deployment import Done, finish, kill
from tests.harness.live.processes import eventually
from tests.harness.parts import LOGS
from tests.lives import judging
from tests.lives.basis import Basis
from tests.lives.history import replacements
from tests.lives.host_town import HostTown
from tests.lives.judging import WrongError
from tests.lives.units import Called

FENCED, PROMOTED = "fenced", "promoted"
COMMAND_DIES, CUT, LOSES_POWER, KILLED = "the command dies", "is cut off", "loses power", "is killed"
WAYS = {"both": ("INPUT", "OUTPUT"), "in": ("INPUT",), "out": ("OUTPUT",)}
Fate = tuple[object, str, str]
"""When (FENCED, PROMOTED, or after seconds), to which part, and what."""
LONG = 5.0
"""Seconds: enough for a failover."""
PATIENCE = 45.0
"""Seconds; then a command is killed, where somebody else is to blame for how long it takes."""
_BACK = 60.0
_LOOK = 0.001


class OnHosts(Basis[HostTown]):
    """What the steps do."""

    def __init__(self) -> None:
        """Begin on hosts."""
        super().__init__()
        self.started = time.time()
        # Whether a command has been tried with the machine that is lost now: most find that it is, and take their time.
        self._tried_without = False

    @property
    def tried(self) -> bool:
        """Whether no command needs to be tried now."""
        return self.away and self._tried_without

    def lost(self) -> bool:
        """Whether a machine, or a server, is lost now."""
        return bool(self.town.gone or self.town.cut) or not all(map(self.town.answers, self.town.servers))

    def cut(
        self, part: str, *, ways: tuple[str, ...] = WAYS["both"], port: int | None = None, only: int | None = None
    ) -> None:
        """Drop packets between the machine of a part and both others, or one of them, until all is healed."""
        self.away = True
        if self.lost():
            return
        self.calm = False
        machine = self.town.machine(self.town.who(part))
        self.town.cutting(machine, *self._others(machine, only), ways=ways, port=port)()

    def _others(self, machine: str, only: int | None = None) -> list[str]:
        others = [each for each in self.town.deployment.hosts if each != machine]
        return others if only is None else [others[only]]

    def goes_on(self, part: str, seconds: float, *, replaced: bool) -> None:
        """A master that is cut off is replaced by the two others."""
        machine = next(iter(self.town.cut), "")
        time.sleep(seconds)
        if part == "master" and replaced and seconds == LONG and machine:
            name = next(each for each in self.town.servers if self.town.machine(each) == machine)
            judging.await_named(self.town, f"{machine} was cut off", name)

    def ends(self, *names: str) -> None:
        """Note that servers end."""
        self.calm = False
        self.records.ended += [(time.time(), self.town.place(each)) for each in names if each in self.town.servers]

    def kill_part(self, part: str) -> None:
        """Kill a server, and see what its unit does."""
        name, calm, began = self.town.who(part), self.calm and part == "master", time.time()
        self._end_one(name)
        self._await(name, "its kill")
        self.see_replaced(name, "", "kill", began, calm=calm)

    def _end_one(self, name: str) -> None:
        self.ends(name)
        self.town.kill(name)

    def end_all(self, name: str, how: Callable[[str], None]) -> None:
        """End the machine of a server."""
        self.ends(name)
        how(self.town.machine(name))

    def come_back(self, name: str, seconds: float) -> None:
        """After a while, start the machine of a server."""
        time.sleep(seconds)
        self.town.back(self.town.machine(name))
        self._await(name, "its machine was started")
        self.town.hasten()

    def _await(self, name: str, why: str) -> None:
        eventually(lambda: self.town.answers(name), f"{name} answers again after {why}", _BACK)

    def command(self, fate: Fate | None, verb: str, *words: str) -> None:
        """Run a command, in the middle of which something may happen."""
        calm, began, self._tried_without = self.calm and fate is None, time.time(), self.away
        strike = self._strike(fate) if fate else None
        process = self.town.deployment.start(verb, *words, "--yes")
        try:
            if fate and strike and self._comes(fate[0], process.poll):
                if fate[2] == COMMAND_DIES:
                    kill(process)
                strike()
                self.records.noted[f"{verb}: {fate[2]} when {fate[0]}"] += 1
            for machine in [each for each, how in self.town.gone.items() if how == "off"]:
                self.come_back(next(each for each in self.town.servers if self.town.machine(each) == machine), LONG)
            # Who finds a machine lost waits for minutes, and has nothing to do then.
            done = finish(process, 0.0 if calm else PATIENCE)
        except BaseException:
            kill(process)
            raise
        if done.code < 0:
            # Nobody may have heard of whom it promoted.
            self.calm = False
            self.records.excused.append(began)
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

    def _strike(self, fate: Fate) -> Callable[[], None] | None:
        """Return what happens in the middle of a command; None where a machine is lost already."""
        _, part, what = fate
        if what == COMMAND_DIES:
            self.calm = False
            return lambda: None
        was_away, self.calm = self.away, False
        self.away |= what == CUT
        if was_away or self.lost():
            return None
        name = self.town.who(part)
        if what == CUT:
            machine = self.town.machine(name)
            return self.town.cutting(machine, *self._others(machine))
        return lambda: self._end_one(name) if what == KILLED else self.end_all(name, self.town.power_off)

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
