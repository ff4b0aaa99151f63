"""switchover and promote: commands that change the master of a service."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from redis_fleet.cli.common import FAILED, INVALID, Yes, confirm, end, unit
from redis_fleet.cli.context import Call, on_machines
from redis_fleet.cli.playbook_runner import Run
from redis_fleet.cli.screen import Screen
from redis_fleet.model import Fleet, Service

_Service = Annotated[str, typer.Argument(help="A service of the description.", show_default=False)]
_To = Annotated[str | None, typer.Option(help="The machine (or process, name-port@machine) that becomes the master.")]


@on_machines
def switchover(call: Call, service: _Service, to: _To = None, yes: Yes = False) -> None:
    """Make another process the master, on purpose and without losing a write; the old one becomes a replica.

    A client writes meanwhile; the report says for how long writes were refused and how many are missing. Whatever goes
    wrong before the change is undone. Without --to the replica with the newest data is taken. The same as:
    ansible-playbook -i FILE playbooks/switchover.yml -e redis_fleet_service=SERVICE -e redis_fleet_to=MACHINE
    """
    screen = call.screen
    _known(screen, call.fleet, service, to)
    goal = f" to {to}" if to else ""
    confirm(screen, f"switch '{service}' over{goal}? Its writes are refused for about a second", yes)
    run = call.play_locked("switchover", _variables(service, to))
    report = _report(screen, run, service)
    if report and report["new_master"] != report["old_master"]:
        _numbers(screen, report)
    end(screen, run)
    done = report["new_master"] != report["old_master"]
    said = f"{report['new_master']} is the master" if done else f"{report['new_master']} is the master already"
    screen.say(said, "green")


@on_machines
def promote(call: Call, service: _Service, to: _To = None, yes: Yes = False) -> None:
    """Make a replica the master where no Sentinel watches and the master is lost; the others then follow it.

    Refused while a master answers: switchover is for that, and loses nothing. What the lost master had not yet sent to
    the replica is gone. When it comes back, the next deploy makes it a replica.
    """
    screen = call.screen
    if _known(screen, call.fleet, service, to).watch:
        said = f"the Sentinels promote a replica of '{service}' themselves; use switchover while the master runs"
        screen.fail(said)
        screen.json({"ok": False, "service": service, "problems": [said]})
        raise typer.Exit(FAILED)
    confirm(screen, f"promote {to or 'the replica with the newest data'} to the master of '{service}'?", yes)
    run = call.play_locked("switchover", {**_variables(service, to), "redis_fleet_promote": True})
    report = _report(screen, run, service)
    end(screen, run)
    screen.say(f"{report['new_master']} is the master", "green")


def _known(screen: Screen, fleet: Fleet, service: str, to: str | None) -> Service:
    """Return the service; exits with 2 when there is none of that name or it has no such process."""
    named = {each.name: each for each in fleet.services}
    if service not in named:
        screen.fail(f"'{service}' is not a service of {fleet.source}; there are {', '.join(named)}")
        raise typer.Exit(INVALID)
    places = [name for process in named[service].processes for name in (process.machine, process.id)]
    if to and to not in places:
        screen.fail(f"'{service}' has no process on '{to}'; it has {', '.join(dict.fromkeys(places))}")
        raise typer.Exit(INVALID)
    return named[service]


def _variables(service: str, to: str | None) -> dict[str, Any]:
    return {"redis_fleet_service": service, **({"redis_fleet_to": to} if to else {})}


def _report(screen: Screen, run: Run, service: str) -> dict[str, Any]:
    """Return the report, empty when it did not come to one, and print it where JSON is wanted."""
    report: dict[str, Any] = run.data.get("redis_fleet_operation", {}).get("report", {})
    screen.json(report or {"ok": False, "service": service, "problems": run.failures})
    return report


def _numbers(screen: Screen, report: dict[str, Any]) -> None:
    if not report["old_master"]:
        return
    rows = [
        ("writes refused for", unit(report["write_gap_ms"], "ms")),
        ("acknowledged writes", unit(report["acknowledged"])),
        ("of these lost", unit(report["acknowledged_lost"])),
        ("master", f"{report['old_master']} → {report['new_master'] or 'as before'}"),
    ]
    screen.rest()
    screen.say("")
    screen.table(("", ""), rows)
