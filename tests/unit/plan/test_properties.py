"""Whatever was edited, crashed, failed over, cut off or killed before: what no plan may do, and where every one ends.

Hypothesis leads a simulated deployment (tests/unit/plan/simulation) through a life. ``PLAN_LIVES=1000`` leads it
through that many lives, and longer ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.control import currently_in_test_context
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from redis_fleet.model import Fleet
from redis_fleet.plan.plan import Plan
from redis_fleet.plan.planner import plan
from redis_fleet.problems import InvalidDescriptionError
from tests.unit.plan.simulation.doing import Run, StepFailedError
from tests.unit.plan.simulation.looking import look
from tests.unit.plan.simulation.rules import check_plan
from tests.unit.plan.simulation.servers import Server
from tests.unit.plan.simulation.spec import MACHINES, Spec, Wanted
from tests.unit.plan.simulation.world import World

LIVES = int(os.environ.get("PLAN_LIVES", "0"))
PASSWORDS = ("first-password", "second-password", "third-password")
ORDERS = Wanted("m1", ("m2", "m3"), PASSWORDS[0], {"save": ["900 1"]})
CACHE = Wanted("m2", ("m3",), PASSWORDS[1], {"save": []})
STARTING = (
    Spec({"orders": ORDERS}, ("m1", "m2", "m3"), 2, "sentinel-password"),
    Spec({"orders": ORDERS, "cache": CACHE}, ("m1", "m2", "m3", "m4", "m5"), 3, ""),
    Spec({"orders": ORDERS}),
    Spec({"orders": replace(ORDERS, replicas=())}),
    Spec({"cache": CACHE}),
)
# Refusals that a deployment where all is up may still get, each with good reason.
EXPECTED = (
    "keys in memory only",
    "no replica is fit to take over",
    "every write would be refused",
    "are both masters",
    "REPLICAOF",
    "that lives and is not in this file",
    "change the password in a run of its own",
    "take out one at a time",
    "take them out in a run of its own first",
    "which is not in this file; add that machine",
    "only 0 of",
    "has another password",
    "WRONGPASS",
)

machines = st.sampled_from(MACHINES)
names = st.sampled_from(["orders", "cache"])
LIVE: dict[str, list[Any]] = {
    "maxmemory": ["0", "100mb"],
    "appendfsync": ["always", "everysec"],
    "appendonly": ["yes", "no"],
    "save": [[], ["900 1"], ["60 100"]],
    "replica-priority": [100, 50, 0],
    "min-replicas-to-write": [0, 1],
    "requirepass": [],
    "maxmemory-policy": ["allkeys-lru", "noeviction"],
}
AT_START: dict[str, list[Any]] = {"databases": [8, 16], "tcp-backlog": [511, 1024]}


@st.composite
def directives(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw one directive with a value."""
    offered = {name: found for name, found in (LIVE | AT_START).items() if found}
    name = draw(st.sampled_from(sorted(offered)))
    return name, draw(st.sampled_from([None, *offered[name]]))


class Life(RuleBasedStateMachine):
    """A deployment and whoever works on it."""

    spec: Spec
    fleet: Fleet
    world: World

    @initialize(spec=st.sampled_from(STARTING), moments=st.none() | st.integers(0, 60))
    def first_deployment(self, spec: Spec, moments: int | None) -> None:
        self.spec, self.fleet, self.world = spec, spec.fleet(), World(MACHINES)
        self.secrets: set[str] = {*PASSWORDS, "sentinel-password"}
        assert self.run(moments) or moments is not None

    # Somebody edits the YAML.

    def edit(self, spec: Spec) -> None:
        try:
            self.fleet = spec.fleet()
        except InvalidDescriptionError as error:
            if not currently_in_test_context():
                raise
            note(f"not valid: {error}")
            return
        self.spec = spec

    def serve(self, name: str, change: Callable[[Wanted], Wanted]) -> None:
        if name in self.spec.services:
            self.edit(self.spec.serving(name, change(self.spec.services[name])))

    @rule(name=names, directive=directives())
    def edit_directive(self, name: str, directive: tuple[str, Any]) -> None:
        self.serve(name, lambda wanted: wanted.having(**{directive[0]: directive[1]}))

    @rule(name=names, password=st.sampled_from(["", *PASSWORDS]))
    def edit_password(self, name: str, password: str) -> None:
        self.serve(name, lambda wanted: replace(wanted, password=password))

    @rule(name=names, machine=machines)
    def edit_replica(self, name: str, machine: str) -> None:
        """Add a replica, or take it out."""

        def change(wanted: Wanted) -> Wanted:
            if machine == wanted.master:
                return wanted
            rest = tuple(each for each in wanted.replicas if each != machine)
            return replace(wanted, replicas=rest if machine in wanted.replicas else (*wanted.replicas, machine))

        self.serve(name, change)

    @rule(name=names, machine=machines)
    def edit_master(self, name: str, machine: str) -> None:
        """Let another one be where it starts; the old one leaves, or becomes a replica in the file."""

        def change(wanted: Wanted) -> Wanted:
            rest = tuple(each for each in wanted.replicas if each != machine)
            kept = (*rest, wanted.master) if machine in wanted.replicas else rest
            return replace(wanted, master=machine, replicas=kept)

        self.serve(name, change)

    @rule(machine=machines)
    def edit_sentinels(self, machine: str) -> None:
        """Add a Sentinel, or take it out."""
        found = self.spec.sentinels
        rest = tuple(each for each in found if each != machine) if machine in found else (*found, machine)
        if found:
            self.edit(replace(self.spec, sentinels=rest, quorum=len(rest) // 2 + 1))

    @rule(watched=st.booleans())
    def edit_watched(self, watched: bool) -> None:
        """Take all Sentinels out, or bring three in."""
        found = (self.spec.sentinels or ("m1", "m2", "m3")) if watched else ()
        self.edit(replace(self.spec, sentinels=found, quorum=len(found) // 2 + 1))

    @rule(quorum=st.integers(1, 5), password=st.sampled_from(["", *PASSWORDS]), timing=st.sampled_from([1000, 30000]))
    def edit_watch(self, quorum: int, password: str, timing: int) -> None:
        if self.spec.sentinels:
            fitting = min(quorum, len(self.spec.sentinels))
            config = {**self.spec.config, "down-after-milliseconds": timing}
            self.edit(replace(self.spec, quorum=fitting, password=password, config=config))

    @rule(backlog=st.sampled_from([511, 1024]))
    def edit_ordinary(self, backlog: int) -> None:
        if self.spec.sentinels:
            self.edit(replace(self.spec, config={**self.spec.config, "tcp-backlog": backlog}))

    @rule(name=names)
    def edit_service(self, name: str) -> None:
        """Add a service, or take it out."""
        wanted = None if name in self.spec.services else {"orders": ORDERS, "cache": CACHE}[name]
        self.edit(self.spec.serving(name, wanted))

    @rule(machine=machines)
    def edit_machines(self, machine: str) -> None:
        """Take a machine that has nothing to do out of the file, or put it back."""
        if machine in self.spec.machines and machine not in self.spec.used():
            self.edit(replace(self.spec, machines=tuple(each for each in self.spec.machines if each != machine)))
        else:
            self.edit(replace(self.spec, machines=tuple(sorted({*self.spec.machines, machine}))))

    # Things happen.

    def passed(self) -> None:
        self.world.settle()
        self.world.take_stock()
        self.world.write()

    def server(self, name: str, machine: str) -> Server | None:
        found = [each for each in self.world.of(name) if each.process.machine == machine and each.runs]
        return found[0] if found else None

    @rule(name=names, machine=machines)
    def crash(self, name: str, machine: str) -> None:
        server = self.server(name, machine)
        if server:
            server.stop()
            self.passed()

    @rule(name=names)
    def crash_master(self, name: str) -> None:
        """And let it come back when the Sentinels have chosen another, if they do."""
        master = self.world.master(name)
        if master:
            master.stop()
            self.world.settle()
            master.start()
            self.passed()

    @rule(machine=machines)
    def crash_sentinel(self, machine: str) -> None:
        for watcher in self.world.boxes[machine].watchers.values():
            watcher.runs = False
        self.passed()

    @rule(machine=machines)
    def reboot(self, machine: str) -> None:
        """Everything that is enabled comes back by itself."""
        box = self.world.boxes[machine]
        for each in box.everyone:
            each.stop() if isinstance(each, Server) else setattr(each, "runs", False)
        self.world.settle()
        for each in box.everyone:
            if each.enabled:
                each.start()
        self.passed()

    @rule(name=names, machine=machines, directive=directives(), rewrite=st.booleans())
    def set_by_hand(self, name: str, machine: str, directive: tuple[str, Any], rewrite: bool) -> None:
        server = self.server(name, machine)
        option, value = directive
        if server and option in LIVE and value is not None and option != "replica-priority":
            server.set(option, " ".join(value) if isinstance(value, list) else str(value))
            if rewrite:
                server.rewrite()
            self.passed()

    @rule(name=names, machine=machines, cut=st.booleans())
    def cut_replica(self, name: str, machine: str, cut: bool) -> None:
        server = self.server(name, machine)
        if server:
            server.cut = cut
            self.passed()

    @rule(machine=machines, gone=st.booleans())
    def cut_controller(self, machine: str, gone: bool) -> None:
        self.world.boxes[machine].gone = gone

    @rule(machine=machines, cut=st.booleans())
    def cut_sentinel(self, machine: str, cut: bool) -> None:
        for watcher in self.world.boxes[machine].watchers.values():
            watcher.cut = cut
        self.passed()

    @rule(name=names, machine=machines, under_way=st.booleans())
    def fail_over_slowly(self, name: str, machine: str, under_way: bool) -> None:
        for watcher in self.world.boxes[machine].watchers.values():
            if watcher.runs and name in watcher.views:
                watcher.views[name].failing_over = under_way
        self.passed()

    @rule(name=names, machine=machines)
    def promote_by_hand(self, name: str, machine: str) -> None:
        """``redis-fleet promote``, where no Sentinel watches and the master is down."""
        server = self.server(name, machine)
        if not server or self.world.watching(name) or any(each.master for each in self.world.of(name)):
            return
        server.replicate(None)
        for each in self.world.of(name):
            if each.runs and each is not server:
                each.replicate(server.endpoint)
        self.world.note(machine, name, server.endpoint)
        self.passed()

    # Somebody runs redis-fleet.

    @rule(moments=st.integers(0, 30))
    def killed_run(self, moments: int) -> None:
        self.run(moments)

    @rule()
    def whole_run(self) -> None:
        self.run(None)

    @rule()
    def purging_run(self) -> None:
        self.run(None, purge=True)

    def plan(self, *, purge: bool = False) -> Plan:
        seen = look(self.world, self.fleet)
        made = plan(self.fleet, seen, purge=purge)
        self.secrets |= self.world.secrets()
        check_plan(made, self.fleet, seen, self.secrets)
        assert made == plan(self.fleet, seen, purge=purge), "another plan for the same"
        steps = [f"{step.stage} {step.how} {step.machine}: {step.what}" for step in made.steps]
        told = "\n".join(["plan:", *steps, *map(str, made.refusals)])
        if currently_in_test_context():
            note(told)
        return made

    def run(self, moments: int | None, *, purge: bool = False) -> bool:
        """Say whether a run came to its end."""
        sound = self.sound()
        self.world.take_stock()
        made = self.plan(purge=purge)
        try:
            finished = Run(self.world, self.fleet, made).go(moments)
        except StepFailedError as error:
            assert not sound, f"all was well, and yet: {error}"
            if currently_in_test_context():
                note(f"failed: {error}")
            self.passed()
            return False
        if finished and made.steps:
            again = self.plan(purge=purge)
            assert not again.steps, "there is still something to do"
            assert not again.refusals or self.hidden(), "a run ends where the next one refuses"
        return finished and not made.refusals

    def sound(self) -> bool:
        """Whether everything that was deployed is up and in step."""
        servers = all(each.runs and (each.master or each.linked) and not each.cut for each in self.world.servers)
        return servers and all(each.runs and not each.cut for each in self.world.watchers)

    def hidden(self) -> bool:
        """Whether something is cut off, or runs on a machine that was taken out of the file: it is met by chance."""
        if any(each.cut for each in self.world.watchers):
            return True
        running = {each.process.machine for box in self.world.boxes.values() for each in box.everyone if each.runs}
        return not running <= set(self.fleet.machines)

    def help_out(self) -> None:
        """Somebody gives REPLICAOF to a chained replica: no Sentinel knows one that it never saw linked."""
        for server in self.world.servers:
            master = self.world.master(server.process.service)
            above = self.world.server_at(server.follows)
            if server.runs and server.follows and master and not (above and above.master):
                server.replicate(master.endpoint)
        self.passed()

    def teardown(self) -> None:
        """Bring everything back; then one run must put everything right, or say why not."""
        if not hasattr(self, "world"):
            return
        for box in self.world.boxes.values():
            box.gone = False
        for watcher in self.world.watchers:
            watcher.cut = False
            for view in watcher.views.values():
                view.failing_over = False
            if watcher.enabled and not watcher.runs:
                watcher.start()
        for server in self.world.servers:
            server.cut = False
            if server.enabled and not server.runs:
                server.start()
        self.world.settle()
        self.help_out()
        for _ in range(3):
            if self.run(None):
                return
        refusals = self.plan().refusals
        unexpected = [each for each in refusals if not any(words in str(each) for words in EXPECTED)]
        assert not unexpected, unexpected
        assert refusals, "it never comes to an end"


Life.TestCase.settings = settings(
    max_examples=LIVES or 100,
    stateful_step_count=40 if LIVES else 15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLife = Life.TestCase


WATCHED, THREE, BY_HAND, ALONE, VOLATILE = STARTING[0], *STARTING[1:]
EDITS: dict[str, tuple[Spec, Spec]] = {
    "live": (WATCHED, WATCHED.serving("orders", ORDERS.having(maxmemory="10mb", appendonly="yes", save=[]))),
    "restart": (WATCHED, WATCHED.serving("orders", ORDERS.having(databases=8))),
    "restart by hand": (BY_HAND, BY_HAND.serving("orders", ORDERS.having(databases=8))),
    "restart alone": (ALONE, ALONE.serving("orders", replace(ORDERS, replicas=()).having(databases=8))),
    "restart of a volatile pair": (VOLATILE, VOLATILE.serving("cache", CACHE.having(databases=8))),
    "password": (WATCHED, WATCHED.serving("orders", replace(ORDERS, password=PASSWORDS[1]))),
    "password from none": (
        WATCHED.serving("orders", replace(ORDERS, password="")),
        WATCHED,
    ),
    "password to none": (WATCHED, WATCHED.serving("orders", replace(ORDERS, password=""))),
    "password of Sentinels": (WATCHED, replace(WATCHED, password=PASSWORDS[2])),
    "both passwords": (
        WATCHED,
        replace(WATCHED.serving("orders", replace(ORDERS, password=PASSWORDS[1])), password=PASSWORDS[2]),
    ),
    "grow": (WATCHED, WATCHED.serving("orders", replace(ORDERS, replicas=("m2", "m3", "m4")))),
    "grow with a password": (
        WATCHED,
        WATCHED.serving("orders", replace(ORDERS, replicas=("m2", "m3", "m4"), password=PASSWORDS[1])),
    ),
    "shrink": (WATCHED, WATCHED.serving("orders", replace(ORDERS, replicas=("m2",)))),
    "master leaves": (WATCHED, WATCHED.serving("orders", replace(ORDERS, master="m2", replicas=("m3",)))),
    "master leaves by hand": (BY_HAND, BY_HAND.serving("orders", replace(ORDERS, master="m2", replicas=("m3",)))),
    "master moves": (WATCHED, WATCHED.serving("orders", replace(ORDERS, master="m4"))),
    "master moves alone": (ALONE, ALONE.serving("orders", replace(ORDERS, master="m4", replicas=()))),
    "Sentinel comes": (WATCHED, replace(WATCHED, sentinels=("m1", "m2", "m3", "m4"), quorum=3)),
    "Sentinel goes": (THREE, replace(THREE, sentinels=("m1", "m2", "m3", "m4"))),
    "Sentinel moves": (WATCHED, replace(WATCHED, sentinels=("m2", "m3", "m4"))),
    "Sentinels come": (BY_HAND, replace(BY_HAND, sentinels=("m1", "m2", "m3"), quorum=2)),
    "Sentinels go": (WATCHED, replace(WATCHED, sentinels=(), quorum=0)),
    "Sentinels restart": (WATCHED, replace(WATCHED, config={"tcp-backlog": 1024, "down-after-milliseconds": 1000})),
    "service comes": (WATCHED, WATCHED.serving("cache", CACHE)),
    "service goes": (WATCHED.serving("cache", replace(CACHE, config={})), WATCHED),
    "everything": (
        WATCHED,
        replace(
            WATCHED.serving("orders", replace(ORDERS, replicas=("m2", "m4")).having(databases=8)),
            sentinels=("m1", "m2", "m4"),
            config={"tcp-backlog": 1024},
        ),
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_run_may_be_killed_at_any_moment(name: str) -> None:
    """Whenever it is killed, at a step's end or within: no harm is done, and one more run completes it."""
    before, after = EDITS[name]
    for moments in range(200):
        life = Life()
        life.first_deployment(before, None)
        life.edit(after)
        finished = life.run(moments)
        if finished:
            assert moments > 1, "there was nothing to do"
            return
        by_hand = [each for each in life.plan().refusals if "REPLICAOF" in str(each)]
        if by_hand and name.endswith("by hand"):
            # Between the old master's fence and the record nothing tells who has handed over.
            life.help_out()
        assert life.run(None), f"killed after {moments} moments: {life.plan().refusals}"
    raise AssertionError("200 moments were not enough")


@pytest.mark.parametrize("start", range(len(STARTING)))
def test_a_first_deployment_may_be_killed_at_any_moment(start: int) -> None:
    for moments in range(200):
        life = Life()
        life.first_deployment(STARTING[start], moments)
        finished = life.run(0)
        if finished:
            assert moments > 1
            return
        assert life.run(None), f"killed after {moments} moments: {life.plan().refusals}"
    raise AssertionError("200 moments were not enough")
