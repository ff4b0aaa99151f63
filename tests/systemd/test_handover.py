"""A master on a machine with systemd that is killed, stopped or shut down: its unit hands the role over."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.hosts import hosts
from tests.harness.hosts.clients import Client, calm, master
from tests.harness.hosts.deployment import Deployment, deployed
from tests.harness.hosts.waiting import eventually

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
NAME = os.environ.get("REDIS_FLEET_HOSTS", f"systemd-{_RELEASE}")
MACHINES = ["red1", "red2", "red3"]
DESCRIPTION = Path(__file__).with_name("handover.redis.yml")
UNIT = "redis-orders-6379"
KEPT = f"/etc/redis-fleet/{UNIT}"
Measured = Callable[[str, object], None]


@pytest.fixture(scope="module", name="deployed")
def fixture_deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deploy it to three machines."""
    with deployed(NAME, DESCRIPTION, tmp_path_factory.mktemp("handover"), MACHINES, _RELEASE) as deployment:
        yield deployment


def journal(deployment: Deployment, machine: str) -> str:
    """Return what the unit said on a machine."""
    command = ("journalctl", "--unit", f"{UNIT}*", "--output", "cat", "--no-pager", "--lines", "60")
    return deployment.exec(machine, *command)


def test_what_it_hands_over_with_is_roots_alone(deployed: Deployment) -> None:
    deployed.settled()
    for machine in MACHINES:
        assert deployed.exec(machine, "stat", "-c", "%U %a", KEPT, f"{KEPT}/handover.json").split() == [
            *("root", "700"),
            *("root", "600"),
        ]


def test_a_master_that_is_killed_is_replaced_at_once(deployed: Deployment, record_property: Measured) -> None:
    old = calm(deployed)
    with Client(deployed) as client:
        deployed.exec(old, "sh", "-c", f"kill -9 $(systemctl show -p MainPID --value {UNIT})")
        eventually(lambda: master(deployed) not in (old, ""), "another one is the master")
        client.goes_on(100)
    record_property("gap in ms of kill -9", client.gap)
    new = calm(deployed)
    assert f"is the master in the place of orders-6379@{old}" in journal(deployed, old)
    assert deployed.roles() == {f"orders-6379@{each}": "master" if each == new else "slave" for each in MACHINES}
    deployed.settled()


@pytest.mark.parametrize("how", ["stop", "restart"])
def test_a_master_that_is_stopped_hands_over_before(deployed: Deployment, record_property: Measured, how: str) -> None:
    old = calm(deployed)
    with Client(deployed) as client:
        deployed.exec(old, "systemctl", how, UNIT)
        new = master(deployed)
        client.goes_on(100)
    record_property(f"gap in ms of systemctl {how}", client.gap)
    assert new not in (old, ""), journal(deployed, old)
    assert client.lost == 0
    deployed.exec(old, "systemctl", "start", UNIT)
    assert calm(deployed) == new
    deployed.settled()


def test_a_machine_that_is_shut_down_hands_over_before(deployed: Deployment, record_property: Measured) -> None:
    old = calm(deployed)
    with Client(deployed) as client:
        hosts.shut_down(deployed.hosts[old])
        client.goes_on(100)
        hosts.power_on(deployed.hosts[old])
    record_property("gap in ms of poweroff", client.gap)
    assert client.lost == 0
    assert calm(deployed) != old, journal(deployed, old)
    deployed.settled()


def test_a_replica_that_writes_its_first_file_drops_the_signal_and_is_stopped_all_the_same(
    deployed: Deployment,
) -> None:
    old = calm(deployed)
    machine = next(each for each in MACHINES if each != old)
    replica = f"orders-6379@{machine}"
    deployed.cli(f"orders-6379@{old}", "EVAL", "for n = 1, 30 do redis.call('SET', 'key' .. n, n) end", "0")
    eventually(lambda: int(deployed.cli(replica, "DBSIZE")) >= 30, "they are there too")
    for words in (("rdb-key-save-delay", "100000"), ("appendonly", "no"), ("appendonly", "yes")):
        assert deployed.cli(replica, "CONFIG", "SET", *words).strip() == "OK"
    deployed.exec(machine, "systemctl", "stop", UNIT)
    assert "can't exit" in deployed.exec(machine, "tail", "-n", "60", "/var/log/redis/redis-server-orders-6379.log")
    deployed.exec(machine, "systemctl", "start", UNIT)
    deployed.settled()


def test_all_machines_start_at_once_and_have_the_master_that_they_had(deployed: Deployment) -> None:
    """Nobody can be asked before a start, and nobody is waited for."""
    calm(deployed)
    for machine in MACHINES:
        hosts.power_off(deployed.hosts[machine])
    for machine in MACHINES:
        hosts.power_on(deployed.hosts[machine])
    calm(deployed)
    deployed.settled()


def test_a_new_password_reaches_it_and_a_key_that_is_taken_out_leaves_nothing(deployed: Deployment) -> None:
    deployed.edit("correct-horse-battery-staple", "correct-horse-battery-stable")
    deployed.deploy()
    deployed.settled()
    assert "battery-stable" in deployed.exec("red1", "cat", f"{KEPT}/handover.json")
    old = calm(deployed)
    deployed.exec(old, "systemctl", "stop", UNIT)
    assert master(deployed) not in (old, ""), journal(deployed, old)
    deployed.exec(old, "systemctl", "start", UNIT)
    calm(deployed)
    before = deployed.pids()
    deployed.edit('crash-handover: "yes"\n', "")
    done = deployed.deploy()
    assert {step["how"] for step in done.json["steps"]} == {"LIVE"}
    assert deployed.pids() == before, "nothing was restarted"
    for machine in MACHINES:
        assert "redis-fleet" not in deployed.exec(machine, "ls", "/etc/redis-fleet")
        assert "ExecStopPost" not in deployed.exec(machine, "systemctl", "cat", UNIT)
    deployed.settled()
