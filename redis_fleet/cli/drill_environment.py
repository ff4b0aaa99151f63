"""The stage of a drill: a sandbox that comes up when first needed and is taken down, or a deployment that is there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import typer

from redis_fleet.agent.host.interrupts import held_back
from redis_fleet.cli.common import FAILED, options, placed, read
from redis_fleet.cli.context import Call
from redis_fleet.cli.playbook_runner import Options
from redis_fleet.cli.screen import Screen
from redis_fleet.description.load import load
from redis_fleet.drills.context import Deployment, NotHereError
from redis_fleet.drills.lab import LabError
from redis_fleet.model import Fleet, Service
from redis_fleet.sandbox import binary, processes, state
from redis_fleet.topology.places import places


@dataclass
class Stage:
    """Where drills run; a context manager that leaves nothing behind.

    ``harmless``: nobody else uses it, so drills may disturb it. ``server`` is the binary for servers of a drill's own,
    empty when there is none.
    """

    screen: Screen
    harmless: bool
    server: str
    call: Call | None = None
    source: Path | None = None
    folder: Path | None = None
    _deployment: Deployment | None = field(default=None, repr=False)

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._deployment:
            self._deployment.close()
        if self.folder:
            if self.source:
                processes.remove(state.root_of(str(self.folder / self.source.name)))
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def title(self) -> str:
        """What the report calls it."""
        return self.call.fleet.name if self.call else "a sandbox"

    @property
    def fleet(self) -> Fleet | None:
        """The deployment that was drilled, if there was one."""
        return self.call.fleet if self.call else None

    def deployed(self, service: str | None) -> Call:
        """Return how the deployment is reached; brings the sandbox up where it is our own."""
        if self.call is None:
            self.deployment(service, disturb=True)
        assert self.call is not None
        return self.call

    def deployment(self, service: str | None, *, disturb: bool) -> Deployment:
        """Return the deployment with the service to drill; brings the sandbox up where it is our own."""
        if self._deployment is None:
            call = self.call = self.call or self._brought_up()
            chosen = _service(call.fleet, service)
            self._deployment = Deployment(
                call.fleet,
                chosen,
                disturb,
                lambda: self._played("drill-failover", chosen.name, "redis_fleet_drill"),
                lambda: self._played("switchover", chosen.name, "redis_fleet_operation"),
            )
        return self._deployment

    def _played(self, playbook: str, service: str, action: str) -> Mapping[str, Any]:
        """Run a playbook that moves the master and return its report."""
        assert self.call is not None
        if self._deployment and not self._deployment.disturb:
            raise NotHereError("it would move the master; say --disturb, or leave FILE out")
        run = self.call.play if playbook == "drill-failover" else self.call.play_locked
        done = run(playbook, {"redis_fleet_service": service})
        self.screen.rest()
        data = done.data.get(action, {})
        if not data.get("report"):
            raise LabError(f"{playbook}: {'; '.join(done.failures) or 'it left no report'}")
        return {**data["report"], "writes": data.get("writes", [])}

    def _brought_up(self) -> Call:
        """Make a sandbox of a copy of the sample, with secrets of its own."""
        assert self.source is not None
        with held_back():
            self.folder = Path(tempfile.mkdtemp(prefix="redis-fleet-drill-"))
        file = Path(shutil.copy(self.source, self.folder))
        root = state.root_of(str(file))
        state.create(root, places(load(str(file)).deployment), self.server)
        fleet = read(file, self.screen)
        how = Options(root, None)
        call = Call(file, placed(fleet, how), how, self.screen)
        run = call.play("deploy")
        self.screen.rest()
        if not run.ok:
            raise LabError(f"the sandbox did not come up: {'; '.join(run.failures)}")
        return call


def own_sandbox(source: Path, screen: Screen) -> Stage:
    """Return a stage of our own; its sandbox comes up when a drill asks for a deployment."""
    try:
        server = binary.find("redis").path
    except binary.NoBinaryError as error:
        screen.fail(str(error))
        raise typer.Exit(FAILED) from None
    return Stage(screen, harmless=True, server=server, source=source)


def stage_of(
    file: Path, screen: Screen, *, sandbox: bool, vault: Path | None, ask_pass: bool, ask_become: bool
) -> Stage:
    """Return the stage that a description names: its machines, or its sandbox."""
    fleet = read(file, screen, vault)
    how = options(file, screen, sandbox=sandbox, vault=vault, ask_pass=ask_pass, ask_become=ask_become)
    fleet = placed(fleet, how)
    server = fleet.sandbox.server if fleet.sandbox else _here(fleet.engine)
    return Stage(screen, harmless=sandbox, server=server, call=Call(file, fleet, how, screen))


def _here(engine: str) -> str:
    try:
        return binary.find(engine).path
    except binary.NoBinaryError:
        return ""


def _service(fleet: Fleet, name: str | None) -> Service:
    if name is None:
        watched = [each for each in fleet.services if each.watch]
        return (watched or list(fleet.services))[0]
    found = next((each for each in fleet.services if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in fleet.services)
        raise typer.BadParameter(f"'{name}' is not a service; there are {known}")
    return found
