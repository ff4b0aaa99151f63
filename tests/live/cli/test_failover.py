"""After a failover a deployment follows the new master; a drill reports what it measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.live.processes import eventually
from tests.harness.live.sandboxes import COMMAND, Box, box, client_of

_STATE = (
    "sentinel myid",
    "sentinel current-epoch",
    "sentinel config-epoch",
    "sentinel leader-epoch",
    "sentinel known-",
)


def sentinel_state(made: Box) -> dict[str, list[str]]:
    """Return what each Sentinel remembers in its file."""
    found = {}
    for process in made.fleet.sentinels:
        lines = Path(process.paths.configuration).read_text(encoding="utf-8").splitlines()
        found[process.id] = sorted(line for line in lines if line.startswith(_STATE))
    return found


def roles_logged(made: Box, name: str, pid: int) -> set[str]:
    """Return the roles (M, S) in which a server with this pid wrote to its log."""
    text = Path(made.process(name).paths.log).read_text(encoding="utf-8")
    return set(re.findall(rf"^{pid}:([MS]) ", text, re.MULTILINE))


def test_a_deployment_after_a_failover_follows_the_new_master(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        old, before = made.master("orders"), made.pids()
        client_of(made.process(old)).set("kept", "yes")
        made.kill(old)
        eventually(lambda: made.master("orders") not in ("", old) and made.settled("orders"), "a new master")
        new, remembered = made.master("orders"), sentinel_state(made)

        plan = made.on("plan", "--json")
        assert plan.code == 3, plan.both
        (step,) = plan.json()["steps"]
        endpoint = made.process(new).endpoint
        assert step["process"] + "@" + step["machine"] == old
        assert f"(its file first: of {endpoint.address} {endpoint.port})" in step["what"]
        assert "is down" in step["reason"]
        assert old not in made.pids()

        done = made.on("deploy", "--json")
        assert done.code == 0, done.both
        assert done.json()["changed"] == {machine: int(old.endswith(machine)) for machine in made.fleet.machines}
        after = made.pids()
        assert {name: pid for name, pid in after.items() if name != old} == {
            n: p for n, p in before.items() if n != old
        }
        assert roles_logged(made, old, after[old]) == {"S"}
        assert roles_logged(made, old, before[old]) == {"M"}
        assert client_of(made.process(old)).role()[:3] == ["slave", endpoint.address, endpoint.port]
        assert client_of(made.process(old)).get("kept") == "yes"

        again = made.on("deploy", "--json")
        assert again.code == 0, again.both
        assert set(again.json()["changed"].values()) == {0}
        assert made.pids() == after
        assert made.master("orders") == new
        assert sentinel_state(made) == remembered


REPORT = {
    "ok", "service", "old_master", "new_master", "write_gap_ms", "acknowledged", "acknowledged_lost", "refused",
    "how", "stale_acknowledged_lost", "rejoined_ms", "kept_down", "problems", "timeline",
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("sample", "service"), [("sentinel", "orders"), ("shared-machines", "cache")])
def test_a_drill_reports_one_object_and_loses_nothing(tmp_path: Path, sample: str, service: str) -> None:
    with box(tmp_path / "box", sample) as made:
        before, old = made.pids(), made.master(service)

        # What an unattended run must not do by accident.
        asked = made.run(COMMAND, "verify", "--sandbox", "--drill", "failover", "--service", service, made.file)
        assert asked.code == 2
        assert "--yes" in asked.err
        if len(made.fleet.services) > 1:
            unnamed = made.on("verify", "--drill", "failover", "--yes")
            assert unnamed.code == 2
            assert "payments, sessions, cache" in unnamed.err
        assert made.pids() == before

        done = made.on("verify", "--drill", "failover", "--yes", "--json", "--service", service)
        report = done.json()
        assert done.code == 0, done.both
        assert report.keys() == REPORT
        assert report["ok"]
        assert report["problems"] == []
        assert (report["service"], report["old_master"]) == (service, old)
        assert report["acknowledged_lost"] == 0
        assert report["acknowledged"] >= 500
        assert report["refused"] > 0
        assert report["write_gap_ms"] > 2000, "nobody is down before down-after has passed"
        assert report["rejoined_ms"] > 0

        assert report["new_master"] == made.master(service) != old
        after = made.pids()
        assert {name for name in before if before[name] != after[name]} == {old}
        others = [each.name for each in made.fleet.services if each.name != service]
        assert {made.master(each) for each in others} <= before.keys()
        assert made.on("plan").code == 0


@pytest.mark.long
def test_a_master_that_was_frozen_comes_back_as_a_replica_and_what_it_took_meanwhile_is_counted(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        before, old = made.pids(), made.master("orders")

        done = made.on("drill", "failover", "--how", "freeze", "--yes", "--json")

        report = done.json()
        assert [each for each in report["problems"] if "no write was acknowledged" not in each] == []
        assert (report["how"], report["acknowledged_lost"]) == ("freeze", 0)
        assert report["stale_acknowledged_lost"] > 0, "it goes on as a master until a Sentinel tells it"
        assert report["kept_down"].startswith("SIGSTOP")
        assert report["new_master"] == made.master("orders") != old
        assert made.pids() == before, "nothing was started"
        assert [argv for argv in made.processes().values() if "sleep" in argv] == []

        # What is stopped saves, and comes back as a replica.
        old = made.master("orders")
        done = made.on("drill", "failover", "--how", "stop", "--yes", "--json")
        report = done.json()
        # How long the gap is, is the machine's.
        assert [each for each in report["problems"] if "no write was acknowledged" not in each] == []
        assert (report["how"], report["acknowledged_lost"]) == ("stop", 0)
        assert report["stale_acknowledged_lost"] is None
        assert "DB saved on disk" in Path(made.process(old).paths.log).read_text(encoding="utf-8")
        assert made.on("plan").code == 0


def test_what_a_drill_cannot_undo_is_refused_by_name(tmp_path: Path) -> None:
    with box(tmp_path / "box", "sentinel") as made:
        before = made.pids()
        for words in (("drill", "failover"), ("verify", "--drill", "failover")):
            for how, instead in (("reboot", "'stop' ends"), ("cut", "'freeze' takes"), ("burn", "kill, stop, freeze")):
                done = made.on(*words, "--how", how, "--yes")
                assert done.code == 2, done.both
                assert f"'{how}'" in done.err
                assert instead in done.err
        played = made.play("drill-failover", "-e", "redis_fleet_service=orders", "-e", "redis_fleet_how=cut")
        assert played.code == 2
        assert "nothing was touched" in played.both
        asked = made.on("drill", "failover", "--how", "stop")
        assert asked.code == 2
        assert "--yes" in asked.err
        assert made.pids() == before
