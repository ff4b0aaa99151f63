"""A deployment done from here: what playbooks/deploy.yml does, stage by stage, without Ansible between.

Ansible takes some seconds to begin, a life of tests/lives as long as that; plan, requests and the code on the machines
are the real ones.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

from redis_fleet.agent.codec import Message, Request
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.verbs import perform
from redis_fleet.ansible.requests import change_request, process_parts, restart_request, start_request, wait_request
from redis_fleet.kinds.redis_sentinel import joining
from redis_fleet.model import Fleet
from redis_fleet.observe.facts import Observed, observed
from redis_fleet.observe.request import request
from redis_fleet.operations.master_change import switch_over
from redis_fleet.operations.switchover_report import SwitchoverReport
from redis_fleet.plan.plan import Plan
from redis_fleet.plan.planner import plan
from tests.lives.living import FailedError

A = TypeVar("A", bound=Message)
Step = Mapping[str, Any]
STEP_SECONDS, SETTLE_SECONDS = 30.0, 40.0
_STARTING = (("write", "start_masters", "start_replicas"), ("start_sentinels",))
_CHANGING = ("live_replicas", "live_masters", "password_use", "password_end", "watch")


def ask(asked: Request[A], /) -> A:
    """Do what a machine is asked for, here, by way of its JSON; raises RuntimeError with the machine's words."""
    secrets: list[str] = []
    result = perform(asked.verb, json.dumps(asked.to_json(secrets)), secrets, dry=False)
    if result.get("failed"):
        raise RuntimeError(str(result["msg"]))
    return type(asked).answer().from_json(result["answer"])


def look(fleet: Fleet) -> Observed:
    """Look at all machines."""
    return observed({machine: ask(request(fleet, machine)) for machine in fleet.machines})


def planned(fleet: Fleet) -> Plan:
    """Look and plan."""
    return plan(fleet, look(fleet))


def deploy(fleet: Fleet) -> int:
    """Plan, do it, and see that nothing is left to do; returns the number of steps. Raises FailedError."""
    seen = look(fleet)
    made = plan(fleet, seen)
    if made.refusals:
        raise FailedError("; ".join(map(str, made.refusals)), refused=True, passes=made.transient)
    told = made.to_dict()
    if not told["steps"]:
        return 0
    try:
        _do(fleet, seen, told)
    except RuntimeError as error:
        raise FailedError(str(error)) from error
    left = planned(fleet)
    if left.refusals or left.steps:
        raise FailedError("; ".join([*map(str, left.refusals), *(f"left: {each.what}" for each in left.steps)]))
    return len(told["steps"])


def _do(fleet: Fleet, seen: Observed, told: Mapping[str, Any]) -> None:
    steps: list[Step] = told["steps"]
    _change(fleet, steps, "password_add")
    for stages in _STARTING:
        _start(fleet, told, [each for each in steps if each["stage"] in stages])
    for stage in _CHANGING:
        _change(fleet, steps, stage)
    for step in steps:
        if step["stage"] == "roll":
            _roll(fleet, seen, step)
    for machine in fleet.machines:
        amiss = ask(wait_request(fleet, machine, SETTLE_SECONDS)).amiss
        if amiss:
            raise RuntimeError("not in step after the wait: " + "; ".join(amiss))


def _change(fleet: Fleet, steps: list[Step], stage: str) -> None:
    for machine in fleet.machines:
        mine = [each for each in steps if (each["stage"], each["machine"]) == (stage, machine)]
        if mine:
            ask(change_request(fleet, machine, mine))


def _start(fleet: Fleet, told: Mapping[str, Any], steps: list[Step]) -> None:
    """Every machine at once: a replica waits for a master that starts elsewhere."""
    machines = dict.fromkeys(each["machine"] for each in steps)
    failed: list[str] = []

    def start(machine: str) -> None:
        mine = [each for each in steps if each["machine"] == machine]
        written = {each["process"]: each for each in mine if each["stage"] == "write"}
        masters = _masters(fleet, told["masters"])
        whole = [each for each in fleet.on(machine) if each.name in written]
        parts = process_parts(
            fleet, [joining(each, masters) if written[each.name]["joins"] else each for each in whole]
        )
        starting = [each for each in mine if each["stage"] != "write"]
        try:
            ask(start_request(fleet, machine, starting, parts, STEP_SECONDS))
        except RuntimeError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=start, args=(machine,)) for machine in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError("; ".join(failed))


def _masters(fleet: Fleet, agreed: Mapping[str, Mapping[str, Any]]) -> dict[str, Endpoint]:
    places = {str(each.announced): each.announced for each in fleet.processes}
    watched = {each.watch.name: agreed[each.name]["master"] for each in fleet.services if each.watch}
    return {name: places[master] for name, master in watched.items() if master in places}


def _roll(fleet: Fleet, seen: Observed, step: Step) -> None:
    if step["how"] == "SWITCHOVER":
        report = switch(fleet, step["to"])
        if not report.ok:
            raise RuntimeError("; ".join(report.problems))
        return
    assert step["how"] == "RESTART", step
    process = next(each for each in fleet.on(step["machine"]) if each.name == step["process"])
    running = [each for each in fleet.services[0].processes if seen.of(each).answers or each in fleet.processes]
    ask(restart_request(fleet, running if step["service"] else [], process, step, STEP_SECONDS))


def switch(fleet: Fleet, to: str | None, by: str = "") -> SwitchoverReport:
    """Switch over; nobody but the clients of the life writes meanwhile."""
    return switch_over(
        fleet, fleet.services[0], to, ask, lambda _: None, measure=False, by=by, interrupted=threading.Event()
    )
