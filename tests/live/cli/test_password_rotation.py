"""A new password for servers and Sentinels that run, while clients connect anew all the time.

What is promised: a client that knows the old password is let in until the last phase begins, one that knows the new
one from the end of the first phase on; so in between nobody who knows either is refused, anywhere. A connection that
is open stays open through all of it. No replica is synchronised anew.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from redis_fleet.agent.process.start import spawn
from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.observe.request import managed
from tests.harness.live.editing import Description, deploy, edit, fail_over, lets_in, role, unchanged
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, Running, box, client_of

# Minutes on two cores, so `make test-all` alone runs it.
pytestmark = pytest.mark.long

ADD, USE, END = (
    "Take the new password beside the old one",
    "Use the new password between servers and Sentinels",
    "Refuse the old password",
)
ENDED = "Wait until replicas and Sentinels are in step"
SERVERS = ("orders-6379@red1", "orders-6379@red2", "orders-6379@red3")
SENTINELS = ("sentinel-26379@red1", "sentinel-26379@red2", "sentinel-26379@red3")
_PAUSE = 0.002


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give a deployment that nobody needs a password for."""
    with box(tmp_path_factory.mktemp("rotation") / "box", "sentinel", up=False) as one:
        described = one.file.read_text(encoding="utf-8")

        def opened(file: Description) -> None:
            for part in (file["services"]["orders"], file["sentinel"]):
                del part["password"]
                part["open-to-network"] = "only to see it get a password"

        edit(one, opened)
        one.up()
        one.file.write_text(described, encoding="utf-8")
        yield one


class Passwords:
    """What stands in the two files that the description reads."""

    def __init__(self, made: Box) -> None:
        """Remember where they are."""
        self._folder = made.folder / ".secrets"

    def now(self) -> dict[str, str]:
        """Return the passwords of servers and Sentinels."""
        names = {"server": "orders", "sentinel": "sentinel"}
        return {kind: (self._folder / name).read_text(encoding="utf-8").strip() for kind, name in names.items()}

    def put(self, passwords: dict[str, str]) -> None:
        """Write both."""
        (self._folder / "orders").write_text(passwords["server"] + "\n", encoding="utf-8")
        (self._folder / "sentinel").write_text(passwords["sentinel"] + "\n", encoding="utf-8")

    def rotate(self) -> tuple[dict[str, str], dict[str, str]]:
        """Write new ones; return the old and the new ones."""
        old, new = self.now(), {"server": f"New-{secrets.token_hex(8)}", "sentinel": f"Other-{secrets.token_hex(8)}"}
        self.put(new)
        return old, new


class Callers(threading.Thread):
    """Connects to every server and Sentinel, with one set of passwords, again and again; notes who refused it when."""

    def __init__(self, made: Box, passwords: dict[str, str]) -> None:
        """Prepare."""
        super().__init__(daemon=True)
        self._places = [(each.id, each.endpoint, passwords[each.kind]) for each in made.fleet.processes]
        self.refused: list[tuple[float, str, str]] = []
        self.let_in: list[tuple[float, str]] = []
        self.ended = threading.Event()

    def run(self) -> None:
        """Call."""
        while not self.ended.is_set():
            for name, endpoint, password in self._places:
                began = time.monotonic()
                try:
                    with Connection(endpoint.address, endpoint.port, password) as connection:
                        connection.call("PING")
                    self.let_in.append((began, name))
                except (ReplyError, OSError) as error:
                    self.refused.append((began, name, str(error)))
            time.sleep(_PAUSE)

    def calls(self, begin: float, end: float) -> set[str]:
        """Return whom it reached in that time."""
        return {name for at, name in self.let_in if begin < at < end}

    def refusals(self, begin: float, end: float) -> list[tuple[float, str, str]]:
        """Return the refusals of that time."""
        return [each for each in self.refused if begin < each[0] < end]


class Holding(threading.Thread):
    """Writes to the master on one connection that it opened before, with the password of then."""

    def __init__(self, made: Box, master: str, password: str | None) -> None:
        """Connect."""
        super().__init__(daemon=True)
        self._master, endpoint = master, made.process(master).endpoint
        self._connection = Connection(endpoint.address, endpoint.port, password, 5.0)
        self.written, self.said = 0, ""
        self.ended = threading.Event()

    def run(self) -> None:
        """Count up."""
        try:
            with self._connection:
                self._connection.call("DEL", "held")
                while not self.ended.is_set():
                    assert self._connection.call("INCR", "held") == self.written + 1
                    self.written += 1
                    time.sleep(_PAUSE)
        except (ReplyError, OSError, AssertionError) as error:
            self.said = repr(error)

    def kept_all(self, made: Box) -> None:
        """Assert that every write was acknowledged on that one connection, and is there."""
        assert self.said == ""
        with made.server(self._master) as client:
            assert int(client.get("held") or 0) == self.written > 0


@contextmanager
def at_work(*threads: Callers | Holding) -> Iterator[None]:
    """Let clients work meanwhile."""
    for each in threads:
        each.start()
    try:
        yield
    finally:
        for each in threads:
            each.ended.set()
            each.join()


def kept_quiet(made: Box, said: str, *passwords: dict[str, str]) -> None:
    """Assert that no password is in what was printed, nor in a file that is none for data or secrets."""
    words = [word for each in passwords for word in each.values()]
    assert not [word for word in words if word in said]
    for path in made.folder.rglob("*"):
        data = path.suffix in (".conf", ".aof", ".rdb") or ".secrets" in path.parts
        if path.is_file() and not data:
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [word for word in words if word in text], path
    for pid in made.processes():
        argv = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
        assert not [word for word in words if word in argv]


def only(made: Box, new: dict[str, str], *old: dict[str, str]) -> None:
    """Assert that every process lets in the new password, and neither an old one nor none."""
    for process in made.fleet.processes:
        assert lets_in(made, process.id, new[process.kind]), process.id
        assert not lets_in(made, process.id, None), process.id
        for each in old:
            assert not lets_in(made, process.id, each[process.kind]), process.id


def synchronised(made: Box) -> dict[str, int]:
    """Return how often replicas came to the master, in full and in part."""
    with made.server(made.master("orders")) as client:
        stats = client.info("stats")
    return {name: stats[name] for name in ("sync_full", "sync_partial_ok", "sync_partial_err")}


def linked(made: Box) -> bool:
    """Whether both replicas are linked to the master."""
    master = made.master("orders")
    endpoint = made.process(master).endpoint
    expected = ["slave", endpoint.address, endpoint.port, "connected"]
    return all(role(made, name)[:4] == expected for name in SERVERS if name != master)


def test_from_none_to_a_password(made: Box) -> None:
    assert all(lets_in(made, process.id, None) for process in made.fleet.processes)
    holding = Holding(made, SERVERS[0], None)

    with at_work(holding):
        done = made.on("deploy")

    assert done.code == 0, done.both
    new = Passwords(made).now()
    unchanged(made)
    only(made, new)
    holding.kept_all(made)
    assert linked(made)
    # Each replica once, when it was new.
    assert synchronised(made)["sync_full"] == 2
    kept_quiet(made, done.both, new)


def test_nobody_who_knows_either_password_is_refused_meanwhile(made: Box) -> None:
    before, synced = made.pids(), synchronised(made)
    holding = Holding(made, made.master("orders"), Passwords(made).now()["server"])
    old, new = Passwords(made).rotate()
    with_old, with_new = Callers(made, old), Callers(made, new)
    said = made.play("deploy", "--check", "--diff").both

    with at_work(with_old, with_new, holding):
        run = Running(made, COMMAND, "deploy", "--sandbox", made.file)
        times: dict[str, float] = {}
        for phase in (ADD, USE, END, ENDED):
            run.read_until(f"^… {phase}")
            times[phase] = time.monotonic()
        assert run.end() == 0, run.said

    assert with_old.refusals(0, times[END]) == []
    assert with_new.refusals(times[USE], times[ENDED] + 3600) == []
    everyone = {*SERVERS, *SENTINELS}
    assert with_old.calls(times[ADD], times[END]) == everyone
    assert with_new.calls(times[USE], times[END]) == everyone
    # What the threads can see at all: before and after, the wrong one is refused.
    assert with_new.refusals(0, times[ADD])
    assert with_old.refusals(times[ENDED], times[ENDED] + 3600)

    holding.kept_all(made)
    only(made, new, old)
    assert made.pids() == before
    assert synchronised(made) == synced
    assert linked(made)
    unchanged(made)
    kept_quiet(made, said + run.said, old, new)


@pytest.mark.parametrize("phase", [USE, END, ENDED])
def test_killed_behind_a_phase_the_next_run_completes(made: Box, phase: str) -> None:
    before, synced = made.pids(), synchronised(made)
    old, new = Passwords(made).rotate()
    run = Running(made, COMMAND, "deploy", "--sandbox", made.file)
    run.read_until(f"^… {phase}")
    kill(made, run)

    done = made.on("deploy")

    assert done.code == 0, done.both
    only(made, new, old)
    assert made.pids() == before
    assert synchronised(made) == synced
    unchanged(made)
    kept_quiet(made, run.said + done.both, old, new)


def kill(made: Box, run: Running) -> None:
    """SIGKILL all of a run; servers and Sentinels are not of it."""
    run.process.send_signal(signal.SIGSTOP)
    for pid, argv in made.processes().items():
        if "redis-server" not in argv and "redis-sentinel" not in argv:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    run.end()


def test_a_rotation_that_was_killed_and_taken_back_leaves_no_second_password(made: Box) -> None:
    old, new = Passwords(made).rotate()
    run = Running(made, COMMAND, "deploy", "--sandbox", made.file)
    run.read_until(f"^… {USE}")
    kill(made, run)
    assert any(lets_in(made, process.id, new[process.kind]) for process in made.fleet.processes)
    Passwords(made).put(old)

    done = made.on("deploy")

    assert done.code == 0, done.both
    only(made, old, new)
    unchanged(made)
    kept_quiet(made, run.said + done.both, old, new)


def test_started_with_their_own_files_they_know_the_new_password_alone(made: Box) -> None:
    old, new = Passwords(made).rotate()
    deploy(made)
    for pid in made.pids().values():
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: not made.pids() and not _daemons(made), "all have ended")

    binary = made.fleet.sandbox.server if made.fleet.sandbox else ""
    for process in made.fleet.processes:
        spawn(binary, managed(process))

    eventually(lambda: len(made.pids()) == 6 and made.settled("orders"), "all are back", 60)
    only(made, new, old)
    unchanged(made)


def _daemons(made: Box) -> list[int]:
    return [pid for pid, argv in made.processes().items() if "redis-server" in argv or "redis-sentinel" in argv]


def test_a_failover_with_the_new_password(made: Box) -> None:
    old, new = fail_over(made)
    deploy(made)
    assert made.master("orders") == new
    assert old in made.pids()
    assert linked(made)
    for name in SENTINELS:
        with client_of(made.process(name)) as client:
            view = client.sentinel_master("orders")
        assert (view["num-slaves"], view["num-other-sentinels"]) == (2, 2)
