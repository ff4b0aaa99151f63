"""Editing the description of a sandbox, and what deployments of the edited one have in common."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from redis_fleet.agent.conf.text import parse_file
from redis_fleet.agent.messages.client import Tally
from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.operations.local import LocalClient
from redis_fleet.topology.service_access import target
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import Box, client_of

Description = dict[str, Any]
SECONDS = 600.0


class _Words(yaml.SafeLoader):
    """Keeps yes and no as they are written."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [each for each in rules if not each[0].endswith(":bool")]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def edit(made: Box, change: Callable[[Description], object]) -> None:
    """Change the description as a mapping; templates and words stay what they are, comments go."""
    file = yaml.load(made.file.read_text(encoding="utf-8"), _Words)
    change(file)
    made.file.write_text(yaml.safe_dump(file, sort_keys=False, width=1000), encoding="utf-8")


def ask(made: Box, **values: object) -> None:
    """Ask for directives of orders (``_`` stands for ``-``); None takes one out of the description."""

    def change(file: Description) -> None:
        config = file["services"]["orders"].setdefault("config", {})
        for name, value in values.items():
            config.pop(name.replace("_", "-"), None)
            if value is not None:
                config[name.replace("_", "-")] = value

    edit(made, change)


def deploy(made: Box, *words: str) -> dict[str, Any]:
    """Deploy what must succeed, see that another run finds nothing to do, and return what the first one told."""
    done = made.on("deploy", "--json", *words)
    assert done.code == 0, done.both
    unchanged(made)
    return dict(done.json())


def unchanged(made: Box) -> None:
    """Deploy where there must be nothing to do."""
    again = made.on("deploy")
    assert again.code == 0, again.both
    assert again.out.rstrip().endswith("changed=0"), again.both


def planned(made: Box, *words: str) -> dict[str, Any]:
    """Return a plan that has something to do, or is refused."""
    done = made.on("plan", "--json", *words)
    assert done.code in (1, 3), done.both
    return dict(done.json())


def told(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the steps of a plan in order: how, and process@machine."""
    return [(step["how"], f"{step['process']}@{step['machine']}") for step in plan["steps"]]


class Writing:
    """What the product's own client measured while it wrote."""

    tally: Tally | None = None

    def refused_nothing(self) -> None:
        """Assert that every write was acknowledged and is there."""
        assert self.tally is not None
        assert self.tally.acknowledged > 0, self.tally
        assert (self.tally.refused, self.tally.acknowledged_lost) == (0, 0), self.tally

    def lost_nothing(self) -> None:
        """Assert that all that was acknowledged is there."""
        assert self.tally is not None
        assert self.tally.acknowledged > 0, self.tally
        assert self.tally.acknowledged_lost == 0, self.tally


@contextmanager
def writing(made: Box, service: str = "orders") -> Iterator[Writing]:
    """Write to a service meanwhile, through its Sentinels where it has some; the tally is there at the end."""
    client = LocalClient(target(made.fleet, made.fleet.service(service)), SECONDS)
    measured = Writing()
    client.start()
    eventually(lambda: any(each.event == "tick" for each in client.look().events), "the writer writes")
    try:
        yield measured
    finally:
        measured.tally = client.stop()


def fill(made: Box, name: str, count: int = 1000) -> None:
    """Put keys into a server."""
    with made.server(name) as client:
        client.mset({f"key:{number}": number for number in range(count)})


def filled(made: Box, name: str, count: int = 1000) -> bool:
    """Whether all of these keys are there, with their values."""
    with made.server(name) as client:
        return list(client.mget([f"key:{number}" for number in range(count)])) == [str(each) for each in range(count)]


def file_lines(made: Box, name: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return the lines of each directive in the file of a process, in words."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for line in parse_file(Path(made.process(name).paths.configuration).read_text(encoding="utf-8")):
        found[line.name] = (*found.get(line.name, ()), tuple(line.words))
    return found


def files(made: Box) -> dict[str, bytes]:
    """Return the configuration file of each process."""
    return {each.id: Path(each.paths.configuration).read_bytes() for each in made.fleet.processes}


def stop(made: Box, name: str) -> None:
    """SIGTERM a process and wait for its end."""
    pid = made.pids()[name]
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not Path(f"/proc/{pid}").exists() or name not in made.pids(), f"{name} is gone")


def fail_over(made: Box, service: str = "orders") -> tuple[str, str]:
    """Kill the master, wait for the Sentinels, and return the old and the new one; the old stays down."""
    old = made.master(service)
    made.kill(old)
    eventually(lambda: made.master(service) not in ("", old) and made.settled(service), "a new master", 60)
    return old, made.master(service)


def role(made: Box, name: str) -> list[Any]:
    """Return ROLE of a server."""
    with made.server(name) as client:
        return list(client.role())


def lets_in(made: Box, name: str, password: str | None) -> bool:
    """Whether a process answers a new client that gives this password, or none."""
    endpoint = made.process(name).endpoint
    try:
        with Connection(endpoint.address, endpoint.port, password) as connection:
            return bool(connection.call("PING") == "PONG")
    except ReplyError:
        return False


def knows(made: Box, service: str = "orders") -> set[tuple[int, int, int]]:
    """Return num-slaves, num-other-sentinels and quorum as each Sentinel says."""
    found = set()
    for process in made.fleet.sentinels:
        with client_of(process) as client:
            view = client.sentinel_master(service)
            found.add((view["num-slaves"], view["num-other-sentinels"], view["quorum"]))
    return found
