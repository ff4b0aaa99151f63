"""A plan carried out in the simulated deployment, step by step, with the checks that redis_fleet.agent makes itself.

A step is a generator that yields wherever a run can be killed. What a step needs and does not find fails the run
(``StepFailedError``), as it does on machines; what no step may ever do is an AssertionError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.orders import (
    AppendOnly,
    Command,
    Demote,
    Forget,
    MasterAuth,
    Order,
    PasswordAdd,
    PasswordEnd,
    Rewrite,
    SetDirectives,
    clear,
)
from redis_fleet.agent.process.first_sync import DELAY
from redis_fleet.agent.replication.agreement import majority
from redis_fleet.agent.replication.fence import FENCE
from redis_fleet.ansible.requests import change_request
from redis_fleet.catalogue.check import value_of
from redis_fleet.kinds.redis_sentinel import joining
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.plan.plan import Plan
from redis_fleet.plan.steps import (
    Confirm,
    Decommission,
    Prepare,
    Restart,
    Start,
    Step,
    Switchover,
    WriteFiles,
    WriteUnit,
)
from tests.unit.plan.simulation.looking import unit_text
from tests.unit.plan.simulation.servers import Server, described, known
from tests.unit.plan.simulation.watchers import Watcher
from tests.unit.plan.simulation.world import World, expected, fenced

_LEAST, _PRIORITY = "min-replicas-to-write", "replica-priority"
Doing = Iterator[None]


class StepFailedError(Exception):
    """A step did not find what it needs: the run stops here."""


class Run:
    """One run of a plan."""

    def __init__(self, world: World, fleet: Fleet, plan: Plan) -> None:
        """Keep what is to be done; nothing happens yet."""
        self.world, self.fleet, self.plan = world, fleet, plan
        self.done: list[Step] = []
        self._enough = [each.name for each in fleet.services if self._majority_of(each)]

    def go(self, moments: int | None = None) -> bool:
        """Do all of it, or what can be done until the run is killed; says whether it came to its end.

        Raises StepFailedError.
        """
        left = moments
        for step in self.plan.steps:
            self._watchful(step)
            for _ in self._do(step):
                self._moment()
                left = None if left is None else left - 1
                if left is not None and left < 0:
                    self.world.settle()
                    return False
            self.done.append(step)
            self.world.settle()
            self._moment()
            self._keeps_keys(step)
        self._confirm()
        return True

    # What holds at every moment of a run.

    def _moment(self) -> None:
        self.world.write()
        for service in self.fleet.services:
            if service.external:
                continue
            open_ = [each for each in self.world.of(service.name) if each.master and not fenced(each)]
            open_ = [each for each in open_ if each.process.machine in self.fleet.machines]
            noted = self.world.record(service.name)
            strays = [each for each in open_ if not (noted and each.endpoint != noted and not service.watch)]
            assert len(strays) <= 1, f"{[each.process.id for each in open_]} all take writes"
        self._passwords()
        self._watched()

    def _passwords(self) -> None:
        """While a password is exchanged everybody who has to get in can, also on a new connection."""
        for server in self.world.servers:
            master = self.world.server_at(server.follows) if server.runs and server.linked else None
            given = server.config.get("masterauth", "")
            if master and given and master.accepts and server.process.name in self._names(server.process.machine):
                assert master.lets_in(given), f"{server.process.id} could not link to its master again"
        watched = {each.watch.name for each in self.fleet.services if each.watch}
        for watcher in self.world.watchers:
            stays = watcher.runs and watcher.process.name in self._names(watcher.process.machine)
            for name, view in watcher.views.items() if stays else ():
                given = view.options.get("auth-pass", "")
                found = self.world.server_at(view.endpoint)
                if found and given and found.accepts and name in watched:
                    assert found.lets_in(given), f"{watcher.process.id} could not ask the master of {name} again"

    def _names(self, machine: str) -> set[str]:
        return {each.name for each in self.fleet.on(machine)}

    def _watched(self) -> None:
        """Where Sentinels were a majority when the run began, they are one all the time."""
        for service in self.fleet.services:
            assert service.name not in self._enough or self._majority_of(service), f"{service.name}: no majority"

    def _majority_of(self, service: Service) -> bool:
        """Whether the Sentinels that run are enough of those that they know."""
        name = service.watch.name if service.watch else ""
        running = self.world.watching(name)
        # Of two, the other one is the best that can be.
        if len(running) == 1 and len(running[0].views[name].sentinels) == 1:
            return True
        return bool(running) and len(running) >= max(majority(1 + len(each.views[name].sentinels)) for each in running)

    def _keeps_keys(self, step: Step) -> None:
        for service in self.fleet.services:
            master = self.world.master(service.name)
            if master and not service.external:
                lost = self.world.acknowledged.get(service.name, frozenset()) - master.memory
                assert not lost, f"{step.what} lost {len(lost)} keys of {service.name}"

    def _watchful(self, step: Step) -> None:
        """What a step must not be, whatever the checks on the machine would say."""
        if isinstance(step, Restart) and step.service:
            server = self.world.boxes[step.machine].servers[step.process]
            master = self.world.master(step.service)
            fit = [each for each in self.world.attached(server) if each.fit and each in self._described(step.service)]
            assert not (server is master and fit), f"{step.what}, a master, while {fit[0].process.id} is fit"
        if isinstance(step, Decommission) and step.process in self.world.boxes[step.machine].servers:
            server = self.world.boxes[step.machine].servers[step.process]
            served = {each.name for each in self.fleet.services}
            last = server.process.service in served and self.world.master(server.process.service) is server
            assert not last, f"{step.what}, the master"
        if isinstance(step, Decommission) and not step.purge:
            found = self.world.boxes[step.machine].servers.get(step.process)
            held = found.memory if found and found.master and found.process.service not in self._served() else ()
            saved = found and (found.config.get("save", "").strip() or found.config.get("appendonly") == "yes")
            assert not held or saved, f"{step.what} loses what it holds"

    def _served(self) -> set[str]:
        return {each.name for each in self.fleet.services}

    def _described(self, service: str) -> list[Server]:
        wanted = {each.endpoint for each in self.fleet.service(service).processes}
        return [each for each in self.world.of(service) if each.endpoint in wanted]

    # Steps.

    def _do(self, step: Step) -> Doing:
        kinds: dict[type, Callable[[Any], Doing]] = {
            Prepare: self._prepare,
            WriteFiles: self._write,
            WriteUnit: self._write,
            Start: self._start_watcher if step.stage == "start_sentinels" else self._start,
            Confirm: self._calm,
            Restart: self._restart,
            Switchover: self._switchover,
            Decommission: self._stop,
        }
        yield from kinds.get(type(step), self._change)(step)

    def _process(self, step: Step) -> Process:
        return next(each for each in self.fleet.on(step.machine) if each.name == step.process)

    def _prepare(self, step: Prepare) -> Doing:
        self.world.boxes[step.machine].prepared = True
        yield

    def _write(self, step: WriteFiles | WriteUnit) -> Doing:
        box, process = self.world.boxes[step.machine], self._process(step)
        if isinstance(step, WriteFiles):
            found = box.servers.get(step.process) or box.watchers.get(step.process)
            assert not (found and found.runs), f"{step.what}, which runs"
            if process.kind == "server":
                old = box.servers.get(step.process)
                box.servers[step.process] = Server(process, described(process))
                if isinstance(old, Server):
                    box.servers[step.process].rdb, box.servers[step.process].aof = old.rdb, old.aof
            else:
                box.watchers[step.process] = Watcher.written(
                    self._joining(process) if step.joins_running_sentinels else process
                )
        box.units[process.paths.unit] = unit_text(self.fleet, process)
        yield

    def _joining(self, process: Process) -> Process:
        masters = {
            service.watch.name: agreed
            for service in self.fleet.services
            if service.watch and (agreed := self.plan.masters[service.name].master)
        }
        return joining(process, masters)

    def _start(self, step: Start) -> Doing:
        server, process = self.world.boxes[step.machine].servers[step.process], self._process(step)
        server.process = process
        server.edit(step.edit, process)
        self._follow(server, step.follow)
        yield
        server.start()
        expect = "master" if step.stage == "start_masters" else "replica"
        _need(server.master == (expect == "master"), f"{process.id} is no {expect} after its start")
        if step.first_start and server.master:
            server.config[DELAY] = "0"
        yield

    def _follow(self, server: Server, follow: str) -> None:
        if follow:
            assert not server.runs, f"the file of {server.process.id}, which runs, was written"
            server.file.pop("replicaof", None)
        if follow and follow != "none":
            server.file["replicaof"] = (tuple(follow.split()),)

    def _start_watcher(self, step: Start) -> Doing:
        watcher = self.world.boxes[step.machine].watchers[step.process]
        watcher.process = self._process(step)
        watcher.edit(step.edit, watcher.process)
        yield
        watcher.start()
        yield

    def _calm(self, step: Confirm) -> Doing:
        process = self._process(step)
        self.world.boxes[step.machine].servers[step.process].config[DELAY] = value_of("redis", process, DELAY)
        yield

    def _confirm(self) -> None:
        self.world.settle()
        for process in self.fleet.processes:
            server = self.world.boxes[process.machine].servers.get(process.name)
            if server and server.runs:
                server.config[DELAY] = value_of("redis", process, DELAY)

    # Orders to what runs.

    def _change(self, step: Step) -> Doing:
        box = self.world.boxes[step.machine]
        found = box.servers.get(step.process) or box.watchers.get(step.process)
        assert found is not None
        _need(found.runs, f"{step.process} does not answer")
        expect = getattr(step, "expect", "")
        if expect and isinstance(found, Server):
            _need(found.master == (expect == "master"), f"{step.process} is no {expect} by now")
        planned = next(each for each in self.plan.to_dict()["steps"] if each["number"] == self._number(step))
        (changing,) = change_request(self.fleet, step.machine, [planned]).processes
        for order in changing.orders:
            if isinstance(found, Server):
                self._order(found, changing.process.password, order)
            elif isinstance(order, Forget):
                self._forget(found, order)
            elif isinstance(order, Command):
                found.command([clear(word) for word in order.words])
            yield

    def _number(self, step: Step) -> int:
        return 1 + next(number for number, each in enumerate(self.plan.steps) if each is step)

    def _order(self, server: Server, password: str, order: Order) -> None:
        if isinstance(order, SetDirectives):
            for name, value in order.pairs:
                server.set(known(name).name, clear(value))
        elif isinstance(order, AppendOnly):
            server.set("appendonly", order.value)
        elif isinstance(order, Rewrite):
            server.rewrite()
        elif isinstance(order, PasswordAdd):
            if server.accepts and password and password not in server.accepts:
                server.accepts |= {password}
        elif isinstance(order, PasswordEnd):
            server.set("requirepass", password)
        elif isinstance(order, MasterAuth):
            server.set("masterauth", clear(order.value))
        elif isinstance(order, Demote):
            address, port = order.master.split()
            assert order.value is not None
            self._demote(server, Endpoint(address, int(port)), order.value)
        else:
            raise AssertionError(order)

    def _demote(self, server: Server, master: Endpoint, least: str) -> None:
        other = self.world.server_at(master)
        _need(bool(other and other.master), f"{master} is no master")
        server.replicate(master)
        self.world.settle()
        server.set(_LEAST, least)
        server.rewrite()

    def _forget(self, watcher: Watcher, order: Forget) -> None:
        if not self._lacks(watcher, order.master, order.replicas, order.sentinels):
            return
        view = watcher.views[order.master]
        master = self.world.server_at(view.endpoint)
        _need(bool(master and master.master), f"{order.master} is not there to be asked")
        view.replicas, view.sentinels = set(), set()
        self.world.settle()
        lacks = self._lacks(watcher, order.master, order.replicas, order.sentinels)
        _need(not lacks, f"{lacks} after SENTINEL RESET")

    def _lacks(self, watcher: Watcher, name: str, replicas: int, sentinels: int, *, exact: bool = True) -> str:
        view = watcher.views.get(name)
        if view is None:
            return f"{name} is not watched"
        sound = [each for each in view.replicas if self.world.server_at(each)]
        others = [each for each in self.world.watchers if each.runs and each.endpoint in view.sentinels]
        if exact and (len(view.replicas), len(view.sentinels)) != (replicas, sentinels):
            return f"it knows {len(view.replicas)} replicas and {len(view.sentinels)} Sentinels"
        if len(sound) < replicas or len(others) < sentinels:
            return f"it is in contact with {len(sound)} replicas and {len(others)} Sentinels"
        return "" if 1 + len(others) >= majority(1 + len(view.sentinels)) else "no majority"

    # Restarts, switchovers, departures.

    def _restart(self, step: Restart) -> Doing:
        process = self._process(step)
        box = self.world.boxes[step.machine]
        if process.kind == "sentinel":
            yield from self._restart_watcher(step, process, box.watchers[step.process])
        else:
            server = box.servers[step.process]
            self._in_step(step, server, step.expect, before=True)
            server.stop()
            yield
            server.process = process
            server.edit(step.edit, process)
            self._follow(server, step.follow)
            yield
            server.start()
            self.world.settle()
            wanted = {"none": "master", "": step.expect}.get(step.follow, "replica")
            self._in_step(step, server, wanted, before=False)
        if step.unit:
            box.units[process.paths.unit] = unit_text(self.fleet, process)
        yield

    def _in_step(self, step: Restart, server: Server, expect: str, *, before: bool) -> None:
        """Hold the others against what redis_fleet.agent.process.restart wants of them."""
        _need(server.runs, f"{step.process} does not run")
        _need(server.master == (expect == "master"), f"{step.process} is no {expect}")
        everyone = [each for each in self.world.of(step.service) if each.runs or each in self._described(step.service)]
        if expect == "replica":
            master = self.world.server_at(server.follows)
            _need(server.linked and bool(master and master.master), f"{step.process} has no link")
            assert master is not None
            others = [each for each in self.world.attached(master) if each is not server]
            _need(not before or len(others) >= len(everyone) - 2, "other replicas are not in step")

    def _restart_watcher(self, step: Restart, process: Process, watcher: Watcher) -> Doing:
        for service in self.fleet.services:
            if service.watch:
                numbers = expected(self.fleet, service.name), len(self.fleet.sentinels) - 1
                lacks = self._lacks(watcher, service.watch.name, *numbers, exact=False)
                _need(not lacks, f"{process.id}: {lacks}")
        watcher.runs = False
        yield
        watcher.process = process
        watcher.edit(step.edit, process)
        watcher.start()

    def _switchover(self, step: Switchover) -> Doing:
        world = self.world
        old, watched = world.master(step.service), bool(self.fleet.service(step.service).watch)
        assert watched or not world.watching(step.service), f"{step.what} behind the back of Sentinels"
        new = next((each for each in self._described(step.service) if each.process.id == step.to), None)
        _need(bool(old and new and new.follows == old.endpoint and new.fit), f"{step.to} is not fit to take over")
        assert old is not None
        assert new is not None
        priorities = self._prefer(step.service, new) if watched else {}
        yield
        usual = self._usual(old, _LEAST) if fenced(old) else old.config[_LEAST]
        if fenced(new):
            new.set(_LEAST, self._usual(new, _LEAST))
            new.rewrite()
        old.config[_LEAST] = str(FENCE)
        yield
        if watched:
            together = [each for each in world.watching(step.service) if not each.cut]
            _need(world.can_fail_over([each.views[step.service] for each in together]), "no majority")
            world.promote(step.service, new)
        else:
            new.replicate(None)
        yield
        old.replicate(new.endpoint)
        world.settle()
        yield
        old.set(_LEAST, usual)
        old.rewrite()
        yield
        # Those that are about to leave as well: until then they are replicas like any other.
        for each in [] if watched else world.of(step.service):
            if each.runs and each is not new:
                each.replicate(new.endpoint)
        for server, priority in priorities.items():
            server.set(_PRIORITY, priority)
            server.rewrite()
        if not watched:
            world.note(step.machine, step.service, new.endpoint)
        yield

    def _prefer(self, service: str, new: Server) -> dict[Server, str]:
        rivals = [each for each in self._described(service) if each.runs and each.follows and each.fit]
        if rivals == [new]:
            return {}
        before = {
            each: self._usual(each, _PRIORITY) if each.config[_PRIORITY] == "1" else each.config[_PRIORITY]
            for each in rivals
            if each is new or int(each.config[_PRIORITY]) <= 1
        }
        for each in before:
            each.config[_PRIORITY] = "1" if each is new else "100"
        return before

    def _usual(self, server: Server, name: str) -> str:
        return value_of("redis", server.process, name)

    def _stop(self, step: Decommission) -> Doing:
        box = self.world.boxes[step.machine]
        found = box.servers.get(step.process) or box.watchers.get(step.process)
        assert found is not None
        found.enabled = False
        if isinstance(found, Server):
            found.stop()
        else:
            found.runs = False
        yield
        if step.purge:
            box.servers.pop(step.process, None)
            box.watchers.pop(step.process, None)
            box.units.pop(found.process.paths.unit, None)
        yield


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise StepFailedError(what)
