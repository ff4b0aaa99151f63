"""What no plan may contain, whatever was seen: held against the plan and the look alone, before anything is done."""

from __future__ import annotations

import json
from collections.abc import Iterable

from redis_fleet.agent.replication.agreement import majority
from redis_fleet.model import Fleet, Service
from redis_fleet.observe.facts import Observed
from redis_fleet.plan.plan import Plan
from redis_fleet.plan.steps import STAGES, Restart, Step, WriteFiles

STARTS = ("start_masters", "start_replicas", "start_sentinels")


def check_plan(plan: Plan, fleet: Fleet, seen: Observed, secrets: Iterable[str] = ()) -> None:
    """Raise AssertionError for a plan that could do harm."""
    assert not (plan.steps and plan.refusals), "steps and refusals"
    told = json.dumps(plan.to_dict())
    assert not [secret for secret in secrets if secret in told], "a secret is told"
    stages = [STAGES.index(step.stage) for step in plan.steps]
    assert stages == sorted(stages), "stages out of order"
    if not plan.steps:
        return
    assert all(not machine.error for machine in seen.machines.values()), "steps while a machine's state is unknown"
    for service in fleet.services:
        _sentinels_agree(service, fleet, plan, seen)
    started: set[tuple[str, str]] = set()
    for step in plan.steps:
        _files_of_what_runs(step, fleet, seen, started)
        _one_at_a_time(step, fleet, seen, started)
        if step.stage in STARTS:
            started.add((step.machine, step.process))


def _sentinels_agree(service: Service, fleet: Fleet, plan: Plan, seen: Observed) -> None:
    """Without a majority that names one master, and no other, nothing at all may be planned."""
    name = service.watch.name if service.watch else ""
    views = [each.masters[name] for process in fleet.sentinels if name in (each := seen.of(process)).masters]
    if not views:
        return
    everyone = [*fleet.sentinels, *(each.process for each in seen.strangers if each.process.kind == "sentinel")]
    fresh = {str(each.endpoint) for each in everyone if not seen.of(each).started_once}
    peers = [[f"{row['ip']}:{row['port']}" if "ip" in row else "" for row in view.sentinels] for view in views]
    known = max(1 + sum(place not in fresh for place in places) for places in peers)
    leaving = [each.process for each in seen.strangers if each.process.kind == "sentinel"]
    answering = [each for each in (*fleet.sentinels, *leaving) if seen.of(each).answers]
    assert len(answering) >= majority(known), f"steps with {len(answering)} of {known} Sentinels of {name}"
    assert len({view.endpoint for view in views}) == 1, f"steps while the Sentinels of {name} disagree"
    assert not any(view.flags & {"failover_in_progress"} for view in views), f"steps in the failover of {name}"
    assert plan.masters[service.name].master == views[0].endpoint, f"another master than the Sentinels' for {name}"


def _files_of_what_runs(step: Step, fleet: Fleet, seen: Observed, started: set[tuple[str, str]]) -> None:
    found = [each for each in fleet.on(step.machine) if each.name == step.process]
    if not found:
        assert step.how in ("STOP", "PREPARE"), f"{step.what}, which is not described"
        return
    facts = seen.of(found[0])
    runs = facts.answers or facts.pid
    if step.stage in STARTS or isinstance(step, WriteFiles):
        assert not runs, f"{step.what}: it runs"
    elif step.how == "LIVE" and step.stage != "write":
        up = facts.answers or (step.machine, step.process) in started
        assert up, f"{step.what}: it does not answer"


def _one_at_a_time(step: Step, fleet: Fleet, seen: Observed, started: set[tuple[str, str]]) -> None:
    """While one is restarted all others are up: they answered, or this very plan started them before."""
    if not isinstance(step, Restart):
        return
    process = next(each for each in fleet.on(step.machine) if each.name == step.process)
    others = fleet.sentinels if process.kind == "sentinel" else fleet.service(process.service).processes
    down = [each.id for each in others if not seen.of(each).answers and (each.machine, each.name) not in started]
    assert not down, f"{step.what} while {', '.join(down)} is down"
    assert step.edit or step.unit, f"{step.what} without anything new"
