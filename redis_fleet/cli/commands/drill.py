"""drill: demonstrations of what the deployment, or a sandbox, really does; with a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from redis_fleet import report as pages
from redis_fleet.agent.messages.holding import KILL
from redis_fleet.cli.common import FAILED, INVALID, AskBecome, AskPass, InSandbox, Json, Vault, Yes, interruptible
from redis_fleet.cli.drill_environment import Stage, own_sandbox, stage_of
from redis_fleet.cli.failover import How, drill_failover, watched
from redis_fleet.cli.reporting import Report, check_writable, statuses, write
from redis_fleet.cli.screen import Screen
from redis_fleet.drills.context import Place
from redis_fleet.drills.drill import Drill, all_drills, find, perform
from redis_fleet.drills.listing import FAILOVER, listed
from redis_fleet.drills.report import DrillReport, Step
from redis_fleet.project import SAMPLES
from redis_fleet.sandbox import binary

_SAMPLE = SAMPLES / "sentinel.redis.yml"
Words = Annotated[
    list[str], typer.Argument(metavar="NAME… [FILE]", help="'list', drills by name or 'all'; then a description.")
]
Disturb = Annotated[bool, typer.Option("--disturb", help="Allow what clients of the deployment would notice.")]
OfService = Annotated[
    str | None, typer.Option("--service", help="The service to drill; the first one that is watched.")
]


def drill(
    words: Words,
    sandbox: InSandbox = False,
    disturb: Disturb = False,
    report: Report = None,
    service: OfService = None,
    how: How = KILL,
    yes: Yes = False,
    as_json: Json = False,
    vault: Vault = None,
    ask_pass: AskPass = False,
    ask_become: AskBecome = False,
) -> None:
    """See persistence, replication, failover, data types, leaderboards and locks work, and what they cost.

    Without a FILE a drill brings up the sandbox that it needs and takes it down again. On a deployment it writes under
    keys of its own, removes them, and does not disturb anyone unless --disturb is given; 'failover' asks, or needs
    --yes. Exit code 1 when anything differed from what is documented.
    """
    screen = Screen(as_json=as_json)
    if words == ["list"]:
        _list(screen)
        return
    names, file = _split(words)
    failover = names == [FAILOVER]
    chosen = [] if failover else _chosen(names, screen)
    check_writable(report, screen)
    with interruptible(screen):
        stage = (
            stage_of(file, screen, sandbox=sandbox, vault=vault, ask_pass=ask_pass, ask_become=ask_become)
            if file
            else own_sandbox(_SAMPLE, screen)
        )
        with stage:
            if failover:
                call = stage.deployed(service)
                drill_failover(call, watched(call.fleet, service, screen), how, yes=yes or not file, report=report)
                return
            reports = [_performed(each, stage, screen, service, disturb, alone=names != ["all"]) for each in chosen]
            # While a sandbox of our own is still there.
            rows = statuses(stage.call) if report and stage.call else []
    if report:
        _write_page(report, reports, stage, rows)
    _finish(reports, screen)


def _list(screen: Screen) -> None:
    rows = [(each.name, each.title, each.on, each.disturbs or "-", each.more or "-", each.run) for each in listed()]
    names = ("name", "title", "on", "disturbs", "more", "run")
    screen.json({"drills": [dict(zip(names, row, strict=True)) for row in rows]})
    if not screen.as_json:
        heads = ("drill", "what it shows", "runs on", "disturbs a deployment", "more with --disturb", "run by")
        screen.table(heads, rows)


def _split(words: list[str]) -> tuple[list[str], Path | None]:
    """Tell drills from the description behind them."""
    last = words[-1]
    named = find(last) or last in ("all", FAILOVER)
    if not named and (Path(last).exists() or last.endswith((".yml", ".yaml"))):
        return words[:-1] or ["all"], Path(last)
    return words, None


def _chosen(names: list[str], screen: Screen) -> list[Drill]:
    if names == ["all"]:
        return list(all_drills())
    if FAILOVER in names:
        screen.fail(f"'{FAILOVER}' is done alone: redis-fleet drill {FAILOVER} FILE")
        raise typer.Exit(INVALID)
    unknown = [name for name in names if find(name) is None]
    if unknown:
        known = ", ".join(each.name for each in all_drills())
        screen.fail(f"'{unknown[0]}' is no drill; there are {known}, and 'all'")
        raise typer.Exit(INVALID)
    return [each for each in all_drills() if each.name in names]


def _performed(
    each: Drill, stage: Stage, screen: Screen, service: str | None, disturb: bool, *, alone: bool
) -> DrillReport:
    if each.on == "deployment" and each.disturbs and not (disturb or stage.harmless):
        said = f"{each.name} would disturb the deployment ({each.disturbs}); say --disturb, or leave FILE out"
        if alone:
            screen.fail(said)
            raise typer.Exit(INVALID)
        return DrillReport(each.name, each.title, each.proves, False, 0.0, skipped=said)
    screen.rest()
    screen.say(f"\n{each.name}: {each.title}", "bold")
    screen.say(each.proves, "dim")
    place = Place(stage.server, lambda: stage.deployment(service, disturb=disturb or stage.harmless))
    done = perform(each, place, _Shower(screen))
    screen.rest()
    for measure in done.measures:
        screen.say(
            f"  {measure.name}: {measure.value:,.6g} {measure.unit}"
            + (f"  {measure.meaning}" if measure.meaning else "")
        )
    if done.skipped:
        screen.say(f"skipped: {done.skipped}", "yellow")
    for problem in done.problems:
        screen.fail(f"  differs: {problem}")
    if done.ok:
        screen.say(f"{each.name}: as documented ({len(done.steps)} steps, {done.seconds:.1f} s)", "green")
    return done


class _Shower:
    """Shows each step as it happens, under the heading of its part."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._part = ""

    def __call__(self, step: Step) -> None:
        self._screen.rest()
        if step.part != self._part:
            self._part = step.part
            self._screen.say(f"\n {step.part}", "bold")
        mark = "" if step.ok else f"   ← expected {step.expected}"
        where = f"{step.where}> " if step.where else "  "
        self._screen.say(f"  {where}{step.doing}")
        self._screen.say(f"    {step.seen}{mark}", None if step.ok else "red")
        if step.meaning:
            self._screen.say(f"    {step.meaning}", "dim")


def _finish(reports: list[DrillReport], screen: Screen) -> None:
    good = all(each.ok or each.skipped for each in reports)
    skipped = [each for each in reports if each.skipped]
    screen.json({"ok": good, "drills": [each.to_dict() for each in reports]})
    count = f"{sum(each.ok for each in reports)} of {len(reports)} drills as documented"
    screen.say(f"\n{count}" + (f", {len(skipped)} skipped" if skipped else ""), "green" if good else "red")
    if not good:
        raise typer.Exit(FAILED)


def _write_page(path: Path, reports: list[DrillReport], stage: Stage, rows: list[dict[str, Any]]) -> None:
    software = binary.find("redis").version if stage.server and not stage.fleet else ""
    content = pages.of_drills([each.to_dict() for each in reports], stage.fleet, rows, software=software)
    write(path, content, stage.screen)
