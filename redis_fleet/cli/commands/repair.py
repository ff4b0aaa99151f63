"""repair: the command that gets a process going again whose append-only file has a damaged end."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from redis_fleet.cli.common import INVALID, Yes, confirm, end
from redis_fleet.cli.context import Call, on_machines
from redis_fleet.cli.playbook_runner import Run
from redis_fleet.cli.screen import Screen
from redis_fleet.operations.repair import said

_Process = Annotated[str, typer.Argument(help="A server, NAME-PORT@MACHINE.", show_default=False)]
_Discard = Annotated[
    bool, typer.Option("--discard", help="Also where whole commands behind the damage are thrown away with it.")
]


@on_machines
def repair(call: Call, process: _Process, discard: _Discard = False, yes: Yes = False) -> None:
    """Start a process again that a power cut left with a damaged end of its append-only file.

    A copy is made first; then redis-check-aof cuts off what cannot be read, and the process is started, as a replica
    where another one has become the master. Nothing is touched when it runs, or when something else keeps it down. The
    same as: ansible-playbook -i FILE playbooks/repair.yml -e redis_fleet_process=PROCESS
    """
    screen = call.screen
    servers = [each.id for service in call.fleet.services for each in service.processes]
    if process not in servers:
        screen.fail(f"'{process}' is not a server of {call.fleet.source}; there are {', '.join(servers)}")
        raise typer.Exit(INVALID)
    variables = {"redis_fleet_process": process, "redis_fleet_discard": discard}
    tried = call.play("repair", {**variables, "redis_fleet_dry": True})
    if not tried.ok:
        _report(screen, tried, process)
        end(screen, tried)
    screen.rest()
    screen.say(said(_found(tried)))
    confirm(screen, "do that?", yes)
    run = call.play_locked("repair", variables)
    report = _report(screen, run, process)
    end(screen, run)
    screen.say(said(report), "green")


def _found(run: Run) -> dict[str, Any]:
    return dict(run.data.get("redis_fleet_operation", {}).get("report", {}))


def _report(screen: Screen, run: Run, process: str) -> dict[str, Any]:
    report = _found(run)
    screen.json(report or {"ok": False, "process": process, "problem": "; ".join(run.failures)})
    return report
