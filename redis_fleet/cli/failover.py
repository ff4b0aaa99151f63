"""The failover drill, whichever command it is asked of: agreed to, done, told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from redis_fleet import report as pages
from redis_fleet.cli.common import INVALID, confirm, end, placed
from redis_fleet.cli.context import Call
from redis_fleet.cli.playbook_runner import Run
from redis_fleet.cli.reporting import statuses, write
from redis_fleet.cli.screen import Screen
from redis_fleet.model import Fleet
from redis_fleet.operations.failover_ways import WAYS, wrong
from redis_fleet.operations.report import unit

How = Annotated[str, typer.Option("--how", help=f"How --drill failover takes the master away: {', '.join(WAYS)}.")]


def drill_failover(call: Call, service: str, how: str, *, yes: bool, report: Path | None) -> None:
    """Take the master of a service away and tell what its clients noticed; ends with the exit code where it is not 0.

    Without ``yes`` it asks.
    """
    screen = call.screen
    if why := wrong(how, sandbox=call.how.sandbox is not None):
        screen.fail(why)
        screen.json({"ok": False, "service": service, "problems": [why]})
        raise typer.Exit(INVALID)
    confirm(screen, f"{WAYS[how].order} the master of '{service}' and wait for the failover?", yes)
    run = call.play("drill-failover", {"redis_fleet_service": service, "redis_fleet_how": how})
    data = run.data.get("redis_fleet_drill", {})
    if report and data.get("report"):
        drilled = {**data["report"], "writes": data.get("writes", [])}
        write(report, pages.of_failover(drilled, placed(call.fleet, call.how), statuses(call)), screen)
    _told(screen, run, service)


def watched(fleet: Fleet, service: str | None, screen: Screen) -> str:
    """Return the service that is asked for, or the only one that Sentinels watch; exits with 2 where there is none."""
    if service is None:
        return only_watched(fleet, screen)
    names = [each.name for each in fleet.services]
    if service not in names:
        screen.fail(f"'{service}' is not a service of {fleet.source}; there are {', '.join(names)}")
        raise typer.Exit(INVALID)
    return service


def only_watched(fleet: Fleet, screen: Screen) -> str:
    """Return the only service that Sentinels watch; exits with 2 where there is none, or more than one."""
    watched = [service.name for service in fleet.services if service.watch]
    if len(watched) == 1:
        return watched[0]
    said = f"choose one with --service: {', '.join(watched)}" if watched else "no service is watched by Sentinels"
    screen.fail(said)
    raise typer.Exit(INVALID)


def _told(screen: Screen, run: Run, service: str) -> None:
    report = run.data.get("redis_fleet_drill", {}).get("report")
    screen.json(report or {"ok": False, "service": service, "problems": run.failures})
    if report:
        screen.rest()
        _numbers(screen, report)
    end(screen, run)
    screen.say("the failover is as it should be", "green")


def _numbers(screen: Screen, report: dict[str, Any]) -> None:
    stale = report["stale_acknowledged_lost"]
    rows = [
        ("writes refused for", unit(report["write_gap_ms"], "ms")),
        ("acknowledged writes", unit(report["acknowledged"])),
        ("of these lost", unit(report["acknowledged_lost"])),
        *([("lost by a client that did not ask again", unit(stale))] if stale is not None else []),
        ("master", f"{report['old_master']} → {report['new_master'] or 'none'}"),
        ("old master back as a replica after", unit(report["rejoined_ms"], "ms")),
        ("how", f"{report['how']}: {WAYS[report['how']].means}"),
        ("kept away by", report["kept_down"] or "was not touched"),
    ]
    screen.say("")
    screen.table(("", ""), rows)
