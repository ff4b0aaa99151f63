"""sandbox up, down, status: the same description as plain processes on free loopback ports, without root."""

from __future__ import annotations

from pathlib import Path

import typer

from redis_fleet.cli.commands.status import status as machines_status
from redis_fleet.cli.common import FAILED, INTERRUPTED, File, Follower, Json, Vault, end, read
from redis_fleet.cli.group import Group
from redis_fleet.cli.playbook_runner import Options, play
from redis_fleet.cli.screen import Screen
from redis_fleet.description.load import load
from redis_fleet.description.schema import Deployment
from redis_fleet.sandbox import binary, processes, state
from redis_fleet.topology.places import places

sandbox = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Run a description on this machine: plain processes on free loopback ports, same playbooks, no root.",
)


@sandbox.command()
def up(file: File, vault: Vault = None) -> None:
    """Bring the sandbox of a description up and deploy it; what --sandbox of other commands then means."""
    screen = Screen()
    read(file, screen, vault)
    root = state.root_of(str(file))
    deployment = load(str(file)).deployment
    try:
        server = binary.find(deployment.engine)
    except binary.NoBinaryError as error:
        screen.fail(str(error))
        raise typer.Exit(FAILED) from None
    _create(file, deployment, screen, root, server)
    screen.say(f"{server.version} ({server.path}, {server.source})")
    if not server.runs(deployment.engine, deployment.version):
        described = f"{deployment.engine} {deployment.version or ''}".rstrip()
        screen.say(f"the description says {described}: what differs between them is not tried here", "yellow")
    try:
        read(file, screen, vault, root)
    except typer.Exit:
        processes.remove(root)
        raise
    _deploy(file, screen, root, vault)


def _create(file: Path, deployment: Deployment, screen: Screen, root: Path, server: binary.Binary) -> None:
    try:
        state.create(root, places(deployment), server.path)
    except FileExistsError:
        screen.fail(f"the sandbox of {file} is already there; 'redis-fleet sandbox down {file}' removes it")
    except OSError as error:
        screen.fail(f"no sandbox can be made: {error}")
    else:
        return
    raise typer.Exit(FAILED)


def _deploy(file: Path, screen: Screen, root: Path, vault: Path | None) -> None:
    ready = False
    try:
        run = play("deploy", file, Options(root, vault), Follower(screen))
        end(screen, run)
        ready = True
    except KeyboardInterrupt:
        screen.fail("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if not ready:
            processes.remove(root)
    screen.say(f"up: {len(list(processes.running(root)))} processes in {root}", "green")
    screen.say(f"next: redis-fleet verify --sandbox {file}")


@sandbox.command()
def down(file: File) -> None:
    """Stop every process of the sandbox and remove its files."""
    screen = Screen()
    root = state.root_of(str(file))
    if not root.exists():
        screen.say("there is no sandbox; nothing to do")
        return
    stopped = processes.remove(root)
    screen.say(f"stopped {stopped} processes and removed {root}")


@sandbox.command()
def status(file: File, as_json: Json = False, vault: Vault = None) -> None:
    """Show every process of the sandbox; the same as 'redis-fleet status --sandbox FILE'."""
    machines_status(file, sandbox=True, as_json=as_json, vault=vault)
