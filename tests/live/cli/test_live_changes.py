"""Changes of a deployment that runs, while a client writes through the Sentinels: nothing restarts, nothing is lost.

What Redis reads only at its start rolls through the servers instead, with one switchover.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from redis_fleet.catalogue import values
from redis_fleet.catalogue.table import catalogue
from tests.harness.live.editing import (
    ask,
    deploy,
    edit,
    fail_over,
    file_lines,
    files,
    fill,
    filled,
    planned,
    role,
    told,
    unchanged,
    writing,
)
from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import Box, box, client_of, config

# Minutes on two cores, so `make test-all` alone runs it.
pytestmark = pytest.mark.long

DOWN_AFTER_MS = 2000
SERVERS = ("orders-6379@red1", "orders-6379@red2", "orders-6379@red3")
SENTINELS = ("sentinel-26379@red1", "sentinel-26379@red2", "sentinel-26379@red3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Give three servers and three Sentinels."""
    with box(tmp_path_factory.mktemp("live") / "box", "sentinel") as one:
        yield one


def everywhere(made: Box, **wanted: str) -> None:
    """Assert that CONFIG GET and the file of every server mean this; a file says nothing where it is the default."""
    for name in SERVERS:
        live, file = config(made.process(name)), file_lines(made, name)
        for each, value in wanted.items():
            directive = catalogue("redis", "7.0.15").find(each.replace("_", "-"))
            assert directive is not None
            assert live[directive.name] == value, name
            written = values.canonical(directive, file.get(directive.name, directive.default or ""))
            assert written == values.canonical(directive, value), (name, directive.name)


LIVE: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "maxmemory": ({"maxmemory": "64mb"}, {"maxmemory": str(64 * 2**20)}),
    "save": ({"save": ["900 10", "60 5000"]}, {"save": "900 10 60 5000"}),
    "appendfsync": ({"appendfsync": "always"}, {"appendfsync": "always"}),
    "auto-aof-rewrite": (
        {"auto_aof_rewrite_percentage": 150, "auto_aof_rewrite_min_size": "32mb"},
        {"auto_aof_rewrite_percentage": "150", "auto_aof_rewrite_min_size": str(32 * 2**20)},
    ),
    "maxmemory-policy": ({"maxmemory_policy": "volatile-lru"}, {"maxmemory_policy": "volatile-lru"}),
}


@pytest.mark.parametrize("name", LIVE)
def test_a_live_change_restarts_nothing_and_refuses_no_write(made: Box, name: str) -> None:
    asked, wanted = LIVE[name]
    before = made.pids()
    ask(made, **asked)

    with writing(made) as measured:
        report = deploy(made)

    measured.refused_nothing()
    assert {(step["how"], step["process"]) for step in report["steps"]} == {("LIVE", "orders-6379")}
    assert len(report["steps"]) == 3
    assert report["steps"][-1]["machine"] == "red1", "the master comes last"
    assert report["changed"] == {"red1": 1, "red2": 1, "red3": 1}
    assert made.pids() == before
    everywhere(made, **wanted)


def test_a_check_says_what_would_be_done_and_changes_nothing(made: Box) -> None:
    text, before, live = made.file.read_text(encoding="utf-8"), files(made), running(made)
    found = live[SERVERS[0]]["maxmemory"]
    ask(made, maxmemory="96mb", databases=20)

    plan = planned(made)
    checked = made.play("deploy", "--check", "--diff")

    assert checked.code == 0, checked.both
    assert checked.out.count(f"-maxmemory {found}\n+maxmemory 96mb") == 3
    assert checked.out.count("-databases 16\n+databases 20") == 3
    # The switchover is a change of the machine that it goes to.
    assert re.findall(r"^(red\d) .* changed=(\d)", checked.out, re.MULTILINE) == [
        ("red1", "1"), ("red2", "2"), ("red3", "1"),
    ]  # fmt: skip
    assert [how for how, _ in told(plan)] == ["LIVE"] * 3 + ["RESTART", "RESTART", "SWITCHOVER", "RESTART"]
    for step in plan["steps"]:
        title = f"{step['number']:4}. {step['how']:<10}  {step['process']}@{step['machine']}: {step['what']}"
        assert title in checked.out
    assert files(made) == before
    assert running(made) == live

    made.file.write_text(text, encoding="utf-8")
    unchanged(made)


def running(made: Box) -> dict[str, dict[str, str]]:
    """Return CONFIG GET * of every server."""
    return {name: config(made.process(name)) for name in SERVERS}


def test_persistence_changes_to_snapshots_and_back_with_every_key(made: Box) -> None:
    fill(made, made.master("orders"))
    before = made.pids()
    for value in ("no", "yes"):
        ask(made, appendonly=value)
        with writing(made) as measured:
            deploy(made)
        measured.refused_nothing()
        assert made.pids() == before
        everywhere(made, appendonly=value)
        assert all(filled(made, name) for name in SERVERS)

        kill_all_servers(made)
        deploy(made)
        assert made.pids().keys() == before.keys()
        before = made.pids()
        assert all(filled(made, name) for name in SERVERS)


def kill_all_servers(made: Box) -> None:
    """SIGKILL every server at once: what is on disk is all that is left of the data."""
    for name, pid in made.pids().items():
        if name in SERVERS:
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: set(SERVERS).isdisjoint(made.pids()), "all are gone")


def test_what_is_read_at_the_start_rolls_with_one_switchover(made: Box) -> None:
    deploy(made)
    old, before, started = made.master("orders"), made.pids(), starts(made)
    ask(made, databases=17, tcp_backlog=300)
    plan = planned(made)
    assert [how for how, _ in told(plan)] == ["RESTART", "RESTART", "SWITCHOVER", "RESTART"]
    assert told(plan)[-1][1] == old

    refused = made.on("deploy")
    assert refused.code != 0
    assert "--yes" in refused.err
    assert made.pids() == before

    with writing(made) as measured:
        report = deploy(made, "--yes")

    measured.lost_nothing()
    (switch,) = report["reports"]
    assert switch["old_master"] == old
    assert switch["new_master"] == made.master("orders") != old
    assert switch["acknowledged_lost"] == 0
    assert switch["write_gap_ms"] > 0
    after = made.pids()
    assert {name for name in before if before[name] != after[name]} == set(SERVERS)
    assert starts(made) == {name: count + 1 for name, count in started.items()}
    everywhere(made, databases="17", tcp_backlog="300", min_replicas_to_write="0", replica_priority="100")


def starts(made: Box) -> dict[str, int]:
    """Count by their logs how often servers have started."""
    texts = {name: Path(made.process(name).paths.log).read_text(encoding="utf-8") for name in SERVERS}
    return {name: text.count("Ready to accept connections") for name, text in texts.items()}


def test_what_was_set_by_hand_is_shown_as_drift_and_put_back(made: Box) -> None:
    before = made.pids()
    with client_of(made.process(SERVERS[1])) as client:
        client.config_set("timeout", 77)

    (step,) = planned(made)["steps"]
    (change,) = step["changes"]
    assert (step["how"], step["machine"]) == ("LIVE", "red2")
    assert (change["directive"], change["found"], change["wanted"]) == ("timeout", "77", "0 (the default)")
    assert "drift" in change["reason"]

    deploy(made)
    everywhere(made, timeout="0")
    assert made.pids() == before


def test_a_directive_that_is_taken_out_has_its_default_again(made: Box) -> None:
    before = made.pids()
    ask(made, maxmemory_policy=None, maxmemory=None)
    deploy(made)
    everywhere(made, maxmemory_policy="noeviction", maxmemory="0")
    assert made.pids() == before


def test_a_file_that_was_edited_while_its_server_runs_is_healed(made: Box) -> None:
    before = made.pids()
    path = Path(made.process(SERVERS[2]).paths.configuration)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub("(?m)^save .*", "", text) + "\ntimeout 12\n", encoding="utf-8")

    (step,) = planned(made)["steps"]
    assert {(change["directive"], change["where"]) for change in step["changes"]} == {
        ("save", "file"),
        ("timeout", "file"),
    }
    deploy(made)
    everywhere(made, save=config(made.process(SERVERS[0]))["save"], timeout="0")
    assert made.pids() == before


def test_sentinels_are_told_of_timings_and_quorum(made: Box) -> None:
    before = made.pids()

    def other(file: dict[str, dict[str, object]]) -> None:
        file["sentinel"]["quorum"] = 3
        file["sentinel"]["config"] = {"down-after-milliseconds": 3000, "failover-timeout": 30000, "parallel-syncs": 2}

    edit(made, other)
    deploy(made)
    for name in SENTINELS:
        with client_of(made.process(name)) as client:
            view = client.sentinel_master("orders")
        found = [view[each] for each in ("quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs")]
        assert found == [3, 3000, 30000, 2]
        text = Path(made.process(name).paths.configuration).read_text(encoding="utf-8")
        assert "sentinel down-after-milliseconds orders 3000" in text
        assert " 3\n" in next(line + "\n" for line in text.splitlines() if line.startswith("sentinel monitor orders"))
    assert made.pids() == before

    def back(file: dict[str, dict[str, object]]) -> None:
        file["sentinel"]["quorum"] = 2
        file["sentinel"]["config"] = {"down-after-milliseconds": DOWN_AFTER_MS, "failover-timeout": 60000}

    edit(made, back)
    deploy(made)
    assert made.pids() == before


def test_after_a_failover_the_lost_server_comes_back_and_a_change_follows_the_new_master(made: Box) -> None:
    old, new = fail_over(made)
    before = made.pids()
    deploy(made)
    assert {name: pid for name, pid in made.pids().items() if name != old} == before
    endpoint = made.process(new).endpoint
    assert role(made, old)[:3] == ["slave", endpoint.address, endpoint.port]

    ask(made, maxmemory="80mb")
    with writing(made) as measured:
        report = deploy(made)
    measured.refused_nothing()
    assert told(report)[-1] == ("LIVE", new)
    assert made.master("orders") == new
    everywhere(made, maxmemory=str(80 * 2**20))
