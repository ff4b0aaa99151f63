"""verify: proof that a deployment works; a drill disturbs it on purpose."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from redis_fleet import report as pages
from redis_fleet.agent.messages.holding import KILL
from redis_fleet.agent.replication.health import Trouble
from redis_fleet.cli.common import FAILED, INVALID, Yes, end, placed
from redis_fleet.cli.context import Call, on_machines
from redis_fleet.cli.failover import How, drill_failover, only_watched
from redis_fleet.cli.playbook_runner import Run
from redis_fleet.cli.reporting import Report, check_writable, statuses, write
from redis_fleet.cli.screen import Screen


class Drill(StrEnum):
    """The drills that are verifications, as drills/listing.py has them."""

    failover = "failover"


@on_machines
def verify(
    call: Call,
    drill: Annotated[Drill | None, typer.Option(help="Disturb the service on purpose and measure it.")] = None,
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
    how: How = KILL,
    yes: Yes = False,
    report: Report = None,
) -> None:
    """Prove that replication, passwords and Sentinels work, as a client sees them. Harmless without --drill.

    With --drill failover the master is taken away while a client writes; the report says how long writes were refused
    and how many acknowledged ones are missing.
    """
    names = [each.name for each in call.fleet.services]
    if service and service not in names:
        call.screen.fail(f"'{service}' is not a service of {call.file}; there are {', '.join(names)}")
        raise typer.Exit(INVALID)
    check_writable(report, call.screen)
    if drill is None:
        run = call.play("verify", {"redis_fleet_services": [service]} if service else None)
        if report:
            checks = run.data.get("redis_fleet_verify", {}).get("checks", [])
            fleet = placed(call.fleet, call.how)
            troubles = list(map(str, _troubles(run)))
            page = pages.of_verification(checks, fleet, statuses(call), failures=run.failures, troubles=troubles)
            write(report, page, call.screen)
        _verified(call.screen, run)
        return
    drill_failover(call, service or only_watched(call.fleet, call.screen), how, yes=yes, report=report)


def _verified(screen: Screen, run: Run) -> None:
    checks: list[dict[str, Any]] = run.data.get("redis_fleet_verify", {}).get("checks", [])
    troubles = _troubles(run)
    screen.json(
        {"ok": run.ok, "checks": checks, "troubles": list(map(asdict, troubles)), "failures": _failures(run, checks)}
    )
    bad = [check for check in checks if not check["ok"]]
    told = {(code, check["subject"]) for check in bad for code in check["codes"]}
    more = [each for each in troubles if (each.code, each.subject) not in told]
    for each in more:
        screen.fail(str(each))
    if bad:
        screen.fail(f"{len(bad)} of {len(checks)} checks failed")
    if checks and (bad or more):
        raise typer.Exit(FAILED)
    end(screen, run)
    screen.say(f"\n{len(checks)} checks, all ok", "green")


def _troubles(run: Run) -> list[Trouble]:
    return [Trouble(**each) for each in run.data.get("redis_fleet_status", {}).get("troubles", [])]


def _failures(run: Run, checks: list[dict[str, Any]]) -> list[str]:
    """Return why there are no checks: what they found is in them."""
    return [] if checks else run.failures
