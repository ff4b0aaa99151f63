"""Whatever is seen on the machines, likely or not: what no plan may do."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.model import Fleet, Process
from redis_fleet.observe.facts import Observed, ProcessFacts
from redis_fleet.plan.planner import plan
from redis_fleet.plan.steps import Start
from tests.unit.cases.builder import fleet_of, observed
from tests.unit.plan.simulation.rules import check_plan

LIVES = int(os.environ.get("PLAN_LIVES", "0"))
FLEETS = ("sentinel", "replication", "standalone", "volatile", "external")
START = ("start_masters", "start_replicas", "start_sentinels")
GARBAGE = {"replicaof": "somewhere nowhere", "save": "", "requirepass": "", "maxmemory": "lots and lots"}


ODD_PROCESS: dict[str, list[Any]] = {
    "is": ["absent", "written", "down", "running"],
    "data": [[], ["dump.rdb"]],
    "substate": ["auto-restart"],
    "pid": [99],
    "open": [True, False],
    "file": [{name: "x y"} for name in GARBAGE],
    "file_error": ["line 1: unbalanced quotes"],
}
ODD_SERVER: dict[str, list[Any]] = {"keys": [0, 7], "config": [GARBAGE], "role": ["master", "10.9.9.9:1"]}
ODD_SENTINEL: dict[str, list[Any]] = {
    "names": ["10.9.9.9:1"],
    "flags": ["master,s_down", "master,failover_in_progress", ""],
    "knows": [0, 7],
    "watches": [[], ["other"]],
}
ODD_MACHINE: dict[str, list[Any]] = {
    "error": ["unreachable"],
    "container": [True],
    "system": ["debian-11", "debian-13", "slackware-15"],
    "version": ["6.0.16", "8.0.2"],
    "bare": [True],
    "active": [["redis-server.service"]],
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Fleet, Observed]:
    """Draw a fleet and what was seen of it: a life it may have had, and a few oddities."""
    fleet = fleet_of(draw(st.sampled_from(FLEETS)))
    processes = draw(lives(fleet))
    machines: dict[str, dict[str, Any]] = {name: {} for name in fleet.machines}
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2, 5]))):
        process = draw(st.sampled_from(fleet.processes))
        own = ODD_SERVER if process.kind == "server" else ODD_SENTINEL
        change, odd = draw(st.sampled_from([(processes[process.id], ODD_PROCESS | own), (machines, ODD_MACHINE)]))
        key = draw(st.sampled_from(sorted(odd)))
        target = change if odd is not ODD_MACHINE else machines[process.machine]
        target[key] = draw(st.sampled_from(odd[key]))
    base = draw(st.sampled_from(["healthy", "healthy", "healthy", "new"]))
    return fleet, observed(fleet, {"base": base, "processes": processes, "machines": machines})


@st.composite
def lives(draw: st.DrawFn, fleet: Fleet) -> dict[str, dict[str, Any]]:
    """Draw who is the master by now, whose file has not heard of it, and who is down."""
    found: dict[str, dict[str, Any]] = {}
    state = st.sampled_from(
        draw(st.sampled_from([("running",), ("running", "down"), ("down",), ("running", "written")]))
    )
    for service in fleet.services:
        master = draw(st.sampled_from(service.processes)) if not service.external else None
        keys = draw(st.sampled_from([0, 7]))
        for process in service.processes:
            found[process.id] = {"is": draw(state), "keys": keys}
            if master and not (found[process.id]["is"] == "down" and draw(st.booleans())):
                found[process.id]["role"] = "master" if process == master else master.id
        if master:
            found |= {each.id: {"is": draw(state), "names": master.id} for each in fleet.sentinels}
    return found


@settings(max_examples=LIVES or 100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_whatever_is_seen_no_plan_is_dangerous(case: tuple[Fleet, Observed]) -> None:
    fleet, seen = case

    made = plan(fleet, seen)

    assert made == plan(fleet, seen)
    check_plan(made, fleet, seen)
    by_place = {(process.machine, process.name): process for process in fleet.processes}
    for step in made.steps:
        if isinstance(step, Start) and by_place[step.machine, step.process].kind == "server":
            process = by_place[step.machine, step.process]
            check_start(made.masters[process.service].master, process, seen.of(process), step)


def check_start(agreed: Endpoint | None, process: Process, facts: ProcessFacts, step: Start) -> None:
    """Hold a server's start against the agreed master: its stage, and whom its file will name by then."""
    assert agreed is not None, "nothing is started while the master is unknown"
    assert (step.stage == "start_masters") == (process.endpoint == agreed)
    written = process.follows if not facts.deployed or step.first_start else facts.follows_by_file
    named = f"{written.address} {written.port}" if written else None
    will = {"": named, "none": None}.get(step.follow, step.follow)
    assert will == (None if process.endpoint == agreed else f"{agreed.address} {agreed.port}")
