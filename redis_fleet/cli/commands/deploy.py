"""plan and deploy: what would be done, and doing it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from redis_fleet.ansible.events import TO_DEPLOY
from redis_fleet.cli.common import TO_DO, Follower, Strict, Yes, end, placed, warn
from redis_fleet.cli.context import Call, on_machines
from redis_fleet.cli.playbook_runner import Event, Run
from redis_fleet.cli.screen import Screen
from redis_fleet.model import Fleet, Service

_PLAN = "redis_fleet_plan"
_TRIAL = "redis_fleet_trial"
Purge = Annotated[bool, typer.Option("--purge", help="Remove the data of processes that left the file; it asks.")]


@on_machines
def plan(call: Call, purge: Purge = False, strict: Strict = False) -> None:
    """Say what a deployment would do, in order, and why; changes nothing.

    LIVE changes what runs without touching clients, RESTART takes one process down, SWITCHOVER moves a master, STOP
    takes a process out of service. Exit code 0: nothing to do. 3: something to do. 1: refused, with the reason. 2: the
    file is not valid.
    """
    warnings = warn(call.screen, call.fleet, strict=strict)
    run = call.play("plan", {"redis_fleet_purge": purge})
    made = run.data.get(_PLAN)
    if made:
        _add_trial(made, run.data.get(_TRIAL, {}))
        call.screen.plan(made)
    call.screen.json({"ok": run.ok, "warnings": warnings, **(made or {}), "failures": run.failures})
    end(call.screen, run)
    if made and made["steps"]:
        raise typer.Exit(TO_DO)


@on_machines
def deploy(call: Call, yes: Yes = False, purge: Purge = False, strict: Strict = False) -> None:
    """Plan, print the plan, and do it step by step; at the end everything is looked at again.

    Can be run at any time: it follows the master that the Sentinels chose, changes live what Redis lets it, and stops
    before it changes anything when the state of the machines is not known. It asks at a terminal before anything
    is restarted, switched over or stopped; elsewhere that needs --yes. A run that was killed is finished by the next
    one. The same as: ansible-playbook -i FILE playbooks/deploy.yml -e redis_fleet_yes=true
    """
    warnings = warn(call.screen, call.fleet, strict=strict)
    follower = _Deployment(call.screen)
    variables = {"redis_fleet_yes": yes, "redis_fleet_purge": purge}
    run = call.play_locked("deploy", variables, follower, lambda: _agreed(call.screen, purge=purge))
    done = {"changed": run.changed, "reports": follower.reports}
    call.screen.json({"ok": run.ok, "warnings": warnings, **follower.made, **done, "failures": run.failures})
    end(call.screen, run)
    _done(call, run, follower)


class _Deployment(Follower):
    """Shows the plan as soon as it is made, then step by step what happens; remembers what was done."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self.made: dict[str, Any] = {}
        self.reports: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        if event["event"] == "step":
            self._screen.rest()
            self._screen.say(f"step {event['number']}: {event['how']} {event['what']} on {event['machine']}")
        if event["event"] != "result":
            super().__call__(event)
            return
        if event["action"] == _PLAN and event["purpose"] == TO_DEPLOY and not event["data"].get("again"):
            self.made = {key: value for key, value in event["data"].items() if key != "run"}
            self._screen.plan(self.made)
        if event["action"] == _TRIAL:
            _add_trial(self.made, event["data"])
            for note in event["data"].get("notes", ()):
                self._screen.say(f"note: {note}", "yellow")
        if event["action"] == "redis_fleet_step" and event["status"] == "ok":
            self._stepped(event)

    def _stepped(self, event: Event) -> None:
        if report := event["data"].get("report"):
            self.reports.append(report)


def _add_trial(made: dict[str, Any], tried: Mapping[str, Any]) -> None:
    """Add to a plan what the servers said to its files: a refusal takes the steps back."""
    made |= {**tried, "notes": [*made.get("notes", ()), *tried.get("notes", ())]}


def _agreed(screen: Screen, *, purge: bool) -> bool:
    screen.rest()
    if not sys.stdin.isatty():
        screen.fail("this restarts processes or moves a master: say --yes where nobody can be asked")
        return False
    lost = ", and remove data for ever" if purge else ""
    return typer.confirm(f"restart, switch over and stop as planned{lost}?", err=True)


def _done(call: Call, run: Run, follower: _Deployment) -> None:
    screen = call.screen
    changed = sum(run.changed.values())
    if not changed:
        screen.say("changed=0", "green")
        return
    counted: dict[str, int] = {}
    for step in follower.made["steps"]:
        counted[step["how"]] = counted.get(step["how"], 0) + 1
    for report in follower.reports:
        screen.say(
            f"{report['service']}: {report['old_master']} → {report['new_master']}, writes refused for "
            f"{report['write_gap_ms']} ms, {report['acknowledged_lost']} of {report['acknowledged']} acknowledged lost"
        )
    done = ", ".join(f"{count} {how}" for how, count in counted.items())
    screen.say(f"changed={changed}; done: {done}; every process is in step", "green")
    for line in card(placed(call.fleet, call.how)):
        screen.say(line)


def card(fleet: Fleet) -> Iterator[str]:
    """Yield how clients connect, a line a service; no password."""
    sentinels = ",".join(str(each.announced) for each in fleet.sentinels)
    for service in fleet.services:
        wants = "with its password" if service.password else "without a password"
        wants = f"by TLS, {wants}" if any(each.tls for each in service.processes) else wants
        if service.watch:
            yield f"connect to {service.name}: ask the Sentinels {sentinels} for '{service.watch.name}', {wants}"
        else:
            yield f"connect to {service.name}: {_places(service)}, {wants}"


def _places(service: Service) -> str:
    if service.on_socket:
        return f"on {service.on_socket.machine} alone, at {service.on_socket.endpoint}"
    return ", ".join(str(each.announced) for each in service.processes)
