"""Ask machines for their Redis processes; the answers hold passwords and stay in a private folder that goes at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer
import yaml

from redis_fleet.adoption.hosts import Host, host, processes
from redis_fleet.adoption.paths import Survey
from redis_fleet.agent.host.interrupts import temporary_folder
from redis_fleet.agent.messages.discovery import Discovered
from redis_fleet.cli.common import INVALID, Follower, end
from redis_fleet.cli.playbook_runner import Options, play
from redis_fleet.cli.screen import Screen


def discover(texts: Sequence[str], how: Options, screen: Screen) -> Survey:
    """Return what runs on ``[USER@]NAME[:PORT]`` hosts; exits with 2 for a bad one, with 1 when one is not reached."""
    try:
        hosts = [host(text) for text in texts]
    except ValueError as error:
        screen.fail(str(error))
        raise typer.Exit(INVALID) from None
    with temporary_folder("redis-fleet-discover-") as folder:
        return _discover(hosts, how, screen, folder)


def _discover(hosts: Sequence[Host], how: Options, screen: Screen, folder: Path) -> Survey:
    labels = {"-".join(filter(None, (each.given, each.variables.get("ansible_port")))): each for each in hosts}
    inventory = folder / "hosts.yml"
    become = {"ansible_become": True, "ansible_python_interpreter": "/usr/bin/python3"}
    rows = {label: {**each.variables, **become} for label, each in labels.items()}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": rows}}), encoding="utf-8")
    run = play("discover", inventory, how, Follower(screen), {"redis_fleet_discover_folder": str(folder)})
    end(screen, run)
    answers = [
        (each, Discovered.from_json(json.loads((folder / f"{label}.json").read_text("utf-8"))))
        for label, each in labels.items()
    ]
    return processes(answers, folder / "files")
