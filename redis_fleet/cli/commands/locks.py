"""unlock and journal: who works on a deployment now, and who did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from redis_fleet import runlog
from redis_fleet.ansible.runs import state
from redis_fleet.cli.common import FAILED, File, Follower, InSandbox, Json, Vault, Yes, confirm, options, read
from redis_fleet.cli.context import Call, on_machines
from redis_fleet.cli.locked import give_back
from redis_fleet.cli.playbook_runner import Event
from redis_fleet.cli.screen import Screen

_WORDS = {
    "alive": "that run is AT WORK on this controller",
    "ending": "that run was killed, but a process of it is STILL AT WORK on this controller",
    "dead": "that run is gone: the next deployment would take the lock over by itself",
    "elsewhere": "another controller's, which cannot be asked from here",
}


class _Holders(Follower):
    """Notes which run holds the lock on which machines."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self.found: dict[str, dict[str, Any]] = {}

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if event["event"] == "held":
            held = event["holder"]
            known = self.found.setdefault(held["id"], {**held, "state": event["state"], "machines": []})
            known["machines"].append(event["machine"])


@on_machines
def unlock(call: Call, yes: Yes = False) -> None:
    """Give back the lock that a run left behind; shows who holds it since when, and asks.

    Rarely needed: the next run from the same controller takes over from one that was killed. Exit code 0 also when
    nothing is locked. 1 when a machine cannot be reached: it may still be locked.
    """
    screen, holders = call.screen, _Holders(call.screen)
    shown = call.play("unlock", {"redis_fleet_show": True}, holders)
    screen.rest()
    for held in holders.found.values():
        screen.say(_held(held))
    failures = list(shown.failures)
    if holders.found:
        confirm(screen, "give the lock back? Two runs at once can do harm", yes)
        failures = [each for run in holders.found for each in give_back(call.file, call.how, Follower(screen), run)]
    runs = [_public(held) for held in holders.found.values()]
    screen.json({"ok": not failures, "unlocked": runs, "failures": failures})
    for failure in dict.fromkeys(failures):
        screen.fail(failure)
    if failures:
        raise typer.Exit(FAILED)
    screen.say("unlocked" if holders.found else "nothing is locked", "green")


def _public(held: Mapping[str, Any]) -> dict[str, Any]:
    return {key: held.get(key, "") for key in ("id", "owner", "time", "verb", "state", "machines")}


def _held(held: Mapping[str, Any]) -> str:
    who = f"{', '.join(sorted(held['machines']))}: held by {held['owner']} since {held['time'] or 'nobody knows when'}"
    return f"{who} ({held.get('verb', 'not readable')}, run {held['id'] or 'unknown'}); {_WORDS[held['state']]}"


def journal(
    file: File,
    count: Annotated[int, typer.Option("-n", min=1, help="So many of the last runs.")] = 20,
    sandbox: InSandbox = False,
    as_json: Json = False,
    vault: Vault = None,
) -> None:
    """Show who changed this deployment from here, when, and how it ended; contacts no machine.

    Each machine has a journal of its own, with the runs of every controller: /var/log/redis-fleet/DEPLOYMENT.jsonl
    """
    screen = Screen(as_json=as_json)
    fleet = read(file, screen, vault)
    root = options(file, screen, sandbox=sandbox, vault=vault).sandbox
    runs = runlog.read(runlog.place(str(file), fleet.name, root), count)
    rows = [{**_told(run), "state": run["result"] or _unended(run)} for run in runs]
    screen.json({"ok": True, "runs": rows})
    if rows and not as_json:
        screen.table(("time", "who", "verb", "steps", "result"), [_cells(row) for row in rows])
    if not rows:
        screen.say("no run from here has changed anything yet")


def _told(run: Mapping[str, Any]) -> dict[str, Any]:
    return {key: run.get(key) for key in ("run", "time", "owner", "verb", "plan", "result", "seconds", "message")}


def _unended(run: Mapping[str, Any]) -> str:
    return "at work" if state(run) in ("alive", "ending") else "killed"


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    took = "" if row["seconds"] is None else f" after {row['seconds']} s"
    why = f": {' '.join(row['message'].split())}" if row["message"] else ""
    steps = str(len(row["plan"]["steps"]))
    return row["time"], row["owner"], row["verb"], steps, f"{row['state']}{took}{why}"
