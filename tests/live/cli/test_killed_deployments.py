"""A deployment that rolls is killed with SIGKILL wherever it is; the next one finishes what it began.

Killed is everything of the run: the command line, Ansible, its workers and the code that they run. Where: behind each
line that it prints, so at every boundary of tasks, steps and the events of the switchover. REDIS_FLEET_BOUNDARIES=all
walks through all of them, else every twentieth.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.operations.local import LocalClient
from redis_fleet.topology.service_access import target
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, Running, box, client_of

# Minutes on two cores, so `make test-all` alone runs it.
pytestmark = pytest.mark.long

EVERY = 1 if os.environ.get("REDIS_FLEET_BOUNDARIES") == "all" else 20
# The plan comes before the first change; a run killed behind its last line has ended.
FIRST, LAST = r"^… Take the lock", r"^changed="
_SETTLES = 60.0


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give a sandbox with Sentinels whose next deployment restarts every server."""
    with box(tmp_path_factory.mktemp("killed") / "box", "sentinel") as made:
        yield made


def ask_for(made: Box, databases: int) -> None:
    """Describe another number of databases, which a server takes only at its start."""
    text = made.file.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "databases:" not in line]
    place = lines.index("    config:                      # redis.conf directives under their own names")
    lines.insert(place + 1, f"      databases: {databases}")
    made.file.write_text("\n".join([*lines, ""]), encoding="utf-8")


def deployment(made: Box) -> Running:
    """Start one."""
    return Running(made, COMMAND, "deploy", "--sandbox", "--yes", made.file)


def kill(made: Box, run: Running) -> None:
    """SIGKILL all of a run at once; servers, Sentinels and the writer of this test are not of it."""
    run.process.send_signal(signal.SIGSTOP)
    for pid, argv in made.processes().items():
        if "redis-server" in argv or "redis-sentinel" in argv or "valkey-server" in argv or "remote.writer" in argv:
            continue
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    run.end()


def masters(made: Box) -> list[str]:
    """Return the servers that take writes, or would but for a fence."""
    found = []
    for process in made.fleet.service("orders").processes:
        with client_of(process) as client:
            if process.id in made.pids() and client.role()[0] == "master":
                found.append(process.id)
    return found


def boundaries(made: Box) -> list[str]:
    """Return the lines of a whole run, from the lock on."""
    ask_for(made, 17)
    run = deployment(made)
    assert run.end() == 0, run.said
    lines = run.said.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("… Take the lock"))
    end = next(number for number, line in enumerate(lines) if line.startswith("changed="))
    return lines[begin:end]


def test_whatever_is_killed_the_next_run_completes(rolled: Box) -> None:
    lines = boundaries(rolled)
    assert any("SWITCHOVER" in line for line in lines)

    for number in range(0, len(lines), EVERY):
        ask_for(rolled, 18 + number)
        where = f"behind line {number}: {lines[number]}"
        client = LocalClient(target(rolled.fleet, rolled.fleet.service("orders")), seconds=180)
        client.start()
        try:
            run = deployment(rolled)
            run.read_until(FIRST)
            if number:
                run.read_until("", number)
            kill(rolled, run)
            eventually(lambda: len(masters(rolled)) == 1, f"one master, killed {where}", _SETTLES)
            done = rolled.on("deploy", "--yes")
            assert done.code == 0, f"killed {where}\n{run.said}\n---\n{done.both}"
            again = rolled.on("deploy")
            assert again.out.rstrip().endswith("changed=0"), f"killed {where}\n{again.both}"
        finally:
            tally = client.stop()
        assert tally is not None, where
        assert tally.acknowledged_lost == 0, f"killed {where}: {tally}"
        assert len(masters(rolled)) == 1
        config = {process.id: _databases(rolled, process.id) for process in rolled.fleet.service("orders").processes}
        assert set(config.values()) == {str(18 + number)}, config


def _databases(made: Box, name: str) -> str:
    with made.server(name) as client:
        return str(client.config_get("databases")["databases"])


def test_the_file_is_where_it_was(rolled: Box) -> None:
    assert Path(rolled.process("orders-6379@red1").paths.configuration).stat().st_mode & 0o777 == 0o600
