"""plan, deploy, verify and status: commands that look at machines, and the one that changes them."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from redis_fleet.cli.common import (
    FAILED,
    INVALID,
    TO_DO,
    AskBecome,
    AskPass,
    File,
    Follower,
    InSandbox,
    Json,
    Vault,
    Yes,
    end,
    interruptible,
    options,
    read,
)
from redis_fleet.cli.front import Event, Run, play
from redis_fleet.cli.screen import Screen
from redis_fleet.model import Fleet

_PLAN = "redis_fleet_plan"


class Drill(StrEnum):
    """The drills there are."""

    failover = "failover"


def plan(
    file: File,
    sandbox: InSandbox = False,
    as_json: Json = False,
    vault: Vault = None,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """Say what a deployment would do, and why; changes nothing.

    Exit code 0: nothing to do. 3: there is something to do. 1: refused, with the reason. 2: the file is not valid.
    """
    screen = Screen(as_json=as_json)
    read(file, screen, vault)
    with interruptible(screen):
        how = options(file, screen, sandbox=sandbox, vault=vault, ask_pass=ask_pass, ask_become=ask_become)
        run = play("plan", file, how, Follower(screen))
    made = run.data.get(_PLAN)
    if made:
        screen.plan(made)
    if as_json:
        screen.json({"ok": run.ok, **(made or {}), "failures": run.failures})
    end(screen, run)
    if made and made["steps"]:
        raise typer.Exit(TO_DO)


def deploy(
    file: File,
    sandbox: InSandbox = False,
    as_json: Json = False,
    vault: Vault = None,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """Plan, print the plan, and do it step by step; at the end everything is looked at again.

    Can be run at any time: it follows the master that the Sentinels chose, and stops before it changes anything when
    the state of the machines is not known. The same as: ansible-playbook -i FILE playbooks/deploy.yml
    """
    screen = Screen(as_json=as_json)
    read(file, screen, vault)
    with interruptible(screen):
        how = options(file, screen, sandbox=sandbox, vault=vault, ask_pass=ask_pass, ask_become=ask_become)
        run = play("deploy", file, how, _Deployment(screen))
    made = run.data.get(_PLAN, {})
    changed = sum(run.changed.values())
    if as_json:
        screen.json({"ok": run.ok, **made, "changed": run.changed, "failures": run.failures})
    end(screen, run)
    screen.say(f"changed={changed}" + ("; every process is in step" if changed else ""), "green")


class _Deployment(Follower):
    """Shows the plan as soon as it is made, then the tasks."""

    def __call__(self, event: Event) -> None:
        if event["event"] == "result" and event["action"] == _PLAN and event["data"].get("masters"):
            if event["task"] == "Plan the steps":
                self._screen.plan(event["data"])
            return
        super().__call__(event)


def verify(
    file: File,
    drill: Annotated[Drill | None, typer.Option(help="Disturb the service on purpose and measure it.")] = None,
    service: Annotated[str | None, typer.Option(help="Only this service.")] = None,
    yes: Yes = False,
    sandbox: InSandbox = False,
    as_json: Json = False,
    vault: Vault = None,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """Prove that replication, passwords and Sentinels work, as a client sees them. Harmless without --drill.

    With --drill failover the master is killed while a client writes; the report says how long writes were refused and
    how many acknowledged ones are missing.
    """
    screen = Screen(as_json=as_json)
    fleet = read(file, screen, vault)
    if service and service not in {each.name for each in fleet.services}:
        screen.fail(f"'{service}' is not a service of {file}; there are {', '.join(s.name for s in fleet.services)}")
        raise typer.Exit(INVALID)
    with interruptible(screen):
        how = options(file, screen, sandbox=sandbox, vault=vault, ask_pass=ask_pass, ask_become=ask_become)
        if drill is None:
            wanted = {"redis_fleet_services": [service]} if service else None
            run = play("verify", file, how, Follower(screen), wanted)
            _verified(screen, run)
            return
        chosen = service or _only_watched(fleet, screen)
        _confirm(screen, f"kill the master of '{chosen}' and wait for the failover?", yes)
        run = play("drill-failover", file, how, Follower(screen), {"redis_fleet_service": chosen})
    _drilled(screen, run, chosen)


def _verified(screen: Screen, run: Run) -> None:
    checks: list[dict[str, Any]] = run.data.get("redis_fleet_verify", {}).get("checks", [])
    if screen.as_json:
        screen.json({"ok": run.ok, "checks": checks, "failures": [] if checks else run.failures})
    bad = [check for check in checks if not check["ok"]]
    if bad:
        screen.fail(f"{len(bad)} of {len(checks)} checks failed")
        raise typer.Exit(FAILED)
    end(screen, run)
    screen.say(f"\n{len(checks)} checks, all ok", "green")


def _only_watched(fleet: Fleet, screen: Screen) -> str:
    watched = [service.name for service in fleet.services if service.watch]
    if len(watched) == 1:
        return watched[0]
    said = f"choose one with --service: {', '.join(watched)}" if watched else "no service is watched by Sentinels"
    screen.fail(said)
    raise typer.Exit(INVALID)


def _confirm(screen: Screen, question: str, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        screen.fail("this disturbs the service: say --yes where nobody can be asked")
        raise typer.Exit(INVALID)
    if not typer.confirm(question, err=True):
        raise typer.Exit(FAILED)


def _drilled(screen: Screen, run: Run, service: str) -> None:
    report = run.data.get("redis_fleet_drill", {}).get("report")
    if screen.as_json:
        screen.json(report or {"ok": False, "service": service, "problems": run.failures})
    if report:
        screen.rest()
        _numbers(screen, report)
    end(screen, run)
    screen.say("the failover is as it should be", "green")


def _numbers(screen: Screen, report: dict[str, Any]) -> None:
    rows = [
        ("writes refused for", _unit(report["write_gap_ms"], "ms")),
        ("acknowledged writes", _unit(report["acknowledged"])),
        ("of these lost", _unit(report["acknowledged_lost"])),
        ("master", f"{report['old_master']} → {report['new_master'] or 'none'}"),
        ("old master back as a replica after", _unit(report["rejoined_ms"], "ms")),
        ("kept down by", report["kept_down"] or "was not killed"),
    ]
    screen.say("")
    screen.table(("", ""), rows)


def _unit(number: int | None, unit: str = "") -> str:
    return "not known" if number is None else f"{number:,} {unit}".strip()


def status(
    file: File,
    sandbox: InSandbox = False,
    as_json: Json = False,
    vault: Vault = None,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """Show every process: role, version, link, lag, last save, AOF, and which Sentinels agree. Changes nothing.

    Exit code 1 when a process is down.
    """
    screen = Screen(as_json=as_json)
    read(file, screen, vault)
    with interruptible(screen):
        how = options(file, screen, sandbox=sandbox, vault=vault, ask_pass=ask_pass, ask_become=ask_become)
        run = play("status", file, how, Follower(screen))
    rows = run.data.get("redis_fleet_status", {}).get("status", [])
    up = bool(rows) and all(row["up"] for row in rows)
    if as_json:
        screen.json({"ok": up, "processes": rows})
    if rows and not as_json:
        screen.table(_COLUMNS, [_cells(row) for row in rows])
    if not rows:
        end(screen, run)
    if not up:
        raise typer.Exit(FAILED)


_COLUMNS = ("process", "endpoint", "role", "version", "link", "lag", "keys", "last save", "AOF", "Sentinels")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    role = row["role"] or f"DOWN ({row['problem']})"
    agreeing = "-" if row["agreeing"] is None else f"{len(row['agreeing'])} agree"
    saved = "-" if row["last_save"] is None else f"{row['last_save']} s ago"
    lag = "-" if row["lag"] is None else f"{row['lag']} B"
    plain = [row["process"], row["endpoint"], role, row["version"] or "-", row["link"] or "-", lag]
    return (*plain, "-" if row["keys"] is None else str(row["keys"]), saved, row["aof"] or "-", agreeing)
