"""A master on a machine with systemd that is killed, stopped or shut down: its unit hands the role over."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from redis_fleet.agent.load_client.writer import Bits
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.agent.replication.view import connect, view
from tests.harness.hosts import hosts
from tests.harness.hosts.deployment import Deployment
from tests.harness.hosts.description import describe
from tests.harness.hosts.waiting import eventually

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
NAME = os.environ.get("REDIS_FLEET_HOSTS", f"systemd-{_RELEASE}")
MACHINES = ["red1", "red2", "red3"]
DESCRIPTION = Path(__file__).with_name("handover.redis.yml")
UNIT = "redis-orders-6379"
KEPT = f"/etc/redis-fleet/{UNIT}"
Measured = Callable[[str, object], None]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deploy it to three machines."""
    file = tmp_path_factory.mktemp("handover") / DESCRIPTION.name
    try:
        describe(DESCRIPTION, file, hosts.up(NAME, MACHINES, _RELEASE))
        deployment = Deployment(NAME, file)
        deployment.deploy()
        yield deployment
    finally:
        hosts.down(NAME)


class Client:
    """Writes one number after the other, as fast as it is let, and finds the master by the Sentinels."""

    def __init__(self, deployment: Deployment) -> None:
        """Prepare."""
        self._target = deployment.target()
        self._bits, self._times, self._number = Bits(), [0.0], 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Client:
        self._thread.start()
        self.goes_on(100)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def goes_on(self, count: int) -> None:
        """Wait until as many more writes were acknowledged."""
        enough = len(self._times) + count
        eventually(lambda: len(self._times) >= enough, "it writes")

    @property
    def gap(self) -> int:
        """The longest time between two acknowledged writes, in ms."""
        times = self._times[1:]
        return round(max(b - a for a, b in itertools.pairwise(times)) * 1e3)

    @property
    def lost(self) -> int:
        """How many acknowledged writes the master does not have."""
        with self._master() as master:
            return self._bits.not_in(bytes(master.get("numbers") or b""))

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                with self._master() as master:
                    while not self._ended.is_set():
                        self._number += 1
                        master.setbit("numbers", self._number, 1)
                        self._bits.add(self._number)
                        self._times.append(time.monotonic())
            except (redis.RedisError, OSError):
                time.sleep(0.002)

    def _master(self) -> redis.Redis:
        for node in sorted(self._target.sentinels, key=lambda each: hash((each.id, self._number))):
            try:
                with connect(self._target, node, 0.3) as sentinel:
                    address, port = sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._target.monitor)
                password = self._target.password.reveal() if self._target.password else None
                return redis.Redis(
                    address, int(port), password=password, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)
                )
            except OSError:
                continue
        raise OSError("no Sentinel")


def master(deployment: Deployment) -> str:
    """Return the machine of the master that the Sentinels agree on."""
    aim = deployment.target()
    return name_of(aim, agreed_master(view(aim))).rpartition("@")[2]


def settled(deployment: Deployment) -> bool:
    """Whether everything is linked, and every Sentinel knows everybody."""
    seen = view(deployment.target())
    linked = sorted(each.role if each.role == "master" else str(each.link_up) for each in seen.members)
    return (
        linked == ["True", "True", "master"]
        and len({one.master for one in seen.sentinels}) == 1
        and all(set(one.flags) == {"master"} and one.quorum_ok and len(one.replicas) == 2 for one in seen.sentinels)
        and all(not set(peer.flags) - {"slave"} for one in seen.sentinels for peer in one.replicas)
    )


def journal(deployment: Deployment, machine: str) -> str:
    """Return what the unit said on a machine."""
    return deployment.exec(machine, "journalctl", "--unit", UNIT, "--output", "cat", "--no-pager", "--lines", "60")


def calm(deployment: Deployment) -> str:
    """Wait until all is well; returns the machine of the master."""
    eventually(lambda: settled(deployment), "all is well")
    return master(deployment)


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
