"""A deployment that grows and shrinks while it runs: replicas, Sentinels, whole services, the master itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.sandbox import state
from tests.harness.live.editing import (
    Description,
    deploy,
    edit,
    fail_over,
    fill,
    filled,
    knows,
    planned,
    role,
    told,
    unchanged,
    writing,
)
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import Box, box

# Minutes on two cores, so `make test-all` alone runs it.
pytestmark = pytest.mark.long

RED4 = "orders-6379@red4"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give three servers and three Sentinels, with keys; machines for more are there."""
    with box(tmp_path_factory.mktemp("growth") / "box", "sentinel", up=False) as one:

        def more(file: Description) -> None:
            file["machines"] |= {name: {"address": f"10.0.0.{name[3:]}0"} for name in ("red4", "red5")}

        edit(one, more)
        one.up()
        fill(one, one.master("orders"))
        yield one


def runs(made: Box, folder: str) -> list[str]:
    """Return the processes that work below a folder of the sandbox."""
    return [argv for pid, argv in made.processes().items() if working(pid).startswith(str(made.root / folder))]


def working(pid: int) -> str:
    """Return where a process works."""
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def follows(made: Box, name: str, master: str) -> bool:
    """Whether a server is a linked replica of another."""
    endpoint = made.process(master).endpoint
    return role(made, name)[:4] == ["slave", endpoint.address, endpoint.port, "connected"]


def test_a_sandbox_finds_ports_for_what_comes_later(tmp_path: Path) -> None:
    root = tmp_path / "root"
    before = state.create(root, ["red1:6379", "red2:6379"], "redis-server")

    state.grow(root, ["red1:6379", "red3:6379"])
    ports = state.read(root)["ports"]

    assert ports.keys() == {"red1:6379", "red2:6379", "red3:6379"}
    assert {place: ports[place] for place in before} == before, "what left keeps its port, so that it is found"
    assert len(set(ports.values())) == 3
    assert state.read(root)["server"] == "redis-server"
    noted = (root / "sandbox.json").stat()
    state.grow(root, ["red3:6379"])
    assert (root / "sandbox.json").stat().st_ino == noted.st_ino
    assert [path.name for path in root.iterdir()] == ["sandbox.json"]


def test_a_replica_comes_after_a_failover(made: Box) -> None:
    old, master = fail_over(made)
    before = made.pids()

    with writing(made) as measured:
        edit(made, lambda file: file["services"]["orders"]["replicas"].append("red4"))
        deploy(made)

    measured.refused_nothing()
    assert made.master("orders") == master
    assert follows(made, RED4, master)
    assert follows(made, old, master)
    assert filled(made, RED4)
    assert knows(made) == {(3, 2, 2)}
    after = made.pids()
    assert {name: after[name] for name in before} == before


def test_two_sentinels_come_and_the_quorum_with_them(made: Box) -> None:
    before = made.pids()

    def five(file: Description) -> None:
        file["sentinel"]["machines"] += ["red4", "red5"]
        file["sentinel"]["quorum"] = 3

    edit(made, five)
    deploy(made)

    assert knows(made) == {(3, 4, 3)}
    after = made.pids()
    assert len(after) == len(before) + 2
    assert {name: after[name] for name in before} == before
    assert made.settled("orders")


def test_a_replica_and_two_sentinels_leave_and_are_forgotten(made: Box) -> None:
    master, before = made.master("orders"), made.pids()
    gone = next(name for name in (RED4, "orders-6379@red3") if name != master)
    leaving = {gone, "sentinel-26379@red4", "sentinel-26379@red5"}
    data = Path(made.process(gone).paths.data)
    take_out(made, gone)

    def three(file: Description) -> None:
        file["sentinel"]["machines"] = file["sentinel"]["machines"][:3]
        file["sentinel"]["quorum"] = 2

    edit(made, three)
    plan = planned(made)
    assert {name for how, name in told(plan) if how == "STOP"} == leaving
    assert [how for how, _ in told(plan)].count("FORGET") == 3
    assert {how for how, _ in told(plan)} == {"LIVE", "STOP", "FORGET"}, "LIVE is the quorum"

    with writing(made) as measured:
        deploy(made, "--yes")

    measured.refused_nothing()
    assert knows(made) == {(2, 2, 2)}
    for name in leaving:
        process, _, machine = name.partition("@")
        assert not runs(made, f"{machine}/{process}")
    assert data.is_dir()
    assert made.pids() == {name: pid for name, pid in before.items() if name not in leaving}
    assert made.master("orders") == master


def test_a_whole_service_comes_and_goes_beside_one_that_runs(made: Box) -> None:
    before = made.pids()

    def another(file: Description) -> None:
        file["services"]["sessions"] = {**copy.deepcopy(file["services"]["orders"]), **moved}

    moved = {"master": "red2", "replicas": ["red3"], "port": 6390}
    with writing(made) as measured:
        edit(made, another)
        deploy(made)
    measured.refused_nothing()
    assert knows(made, "sessions") == {(1, 2, 2)}
    assert made.master("sessions") == "sessions-6390@red2"
    assert follows(made, "sessions-6390@red3", "sessions-6390@red2")
    after = made.pids()
    assert {name: after[name] for name in before} == before
    fill(made, "sessions-6390@red2", 10)
    data = Path(made.process("sessions-6390@red2").paths.data)

    edit(made, lambda file: file["services"].pop("sessions"))
    plan = planned(made)
    assert [how for how, _ in told(plan)].count("STOP") == 2
    assert any("sessions is no longer there" in step["interruption"] for step in plan["steps"])
    assert made.on("deploy").code != 0, "nobody agreed"
    with writing(made) as measured:
        deploy(made, "--yes")
    measured.refused_nothing()
    assert made.pids() == before
    assert not runs(made, "red2/sessions-6390")
    assert not runs(made, "red3/sessions-6390")
    assert any(data.rglob("*.rdb")) or any(data.rglob("*.aof"))
    for process in made.fleet.sentinels:
        text = Path(process.paths.configuration).read_text(encoding="utf-8")
        assert "sessions" not in text


def take_out(made: Box, name: str) -> None:
    """Take a server out of the description, whatever it is described as."""
    machine = name.partition("@")[2]

    def fewer(file: Description) -> None:
        orders = file["services"]["orders"]
        left = [each for each in (orders["master"], *orders["replicas"]) if each != machine]
        orders["master"], orders["replicas"] = left[0], left[1:]

    edit(made, fewer)


def test_the_master_leaves_after_a_switchover(made: Box) -> None:
    master, before = made.master("orders"), made.pids()
    take_out(made, master)
    plan = planned(made)
    hows = [how for how, _ in told(plan)]
    assert hows.count("SWITCHOVER") == 1
    assert hows.index("SWITCHOVER") < hows.index("STOP")

    with writing(made) as measured:
        report = deploy(made, "--yes")

    measured.lost_nothing()
    (switch,) = report["reports"]
    assert (switch["old_master"], switch["acknowledged_lost"]) == (master, 0)
    new = made.master("orders")
    assert new == switch["new_master"] != master
    assert filled(made, new)
    assert knows(made) == {(1, 2, 2)}
    assert not runs(made, master.partition("@")[2] + "/orders-6379")
    assert made.pids() == {name: pid for name, pid in before.items() if name != master}


def test_data_that_was_left_goes_with_purge(made: Box) -> None:
    kept = made.root / "red4"
    before = made.pids()
    assert (kept / "sentinel-26379").is_dir()
    quiet = made.on("plan")
    assert quiet.code == 0, quiet.both
    assert "its data is kept in" in quiet.out

    assert ("STOP", "sentinel-26379@red4") in told(planned(made, "--purge"))
    refused = made.on("deploy", "--purge")
    assert refused.code != 0
    assert "--yes" in refused.err
    assert (kept / "sentinel-26379").is_dir()

    done = made.on("deploy", "--purge", "--yes")
    assert done.code == 0, done.both
    homes = {path.parent for path in made.root.glob("*/*/*.conf")}
    assert homes == {Path(each.paths.configuration).parent for each in made.fleet.processes}
    assert made.pids() == before
    assert "nothing to do" in made.on("plan", "--purge").out
    unchanged(made)
    eventually(lambda: made.settled("orders"), "all is well")
