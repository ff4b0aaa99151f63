"""Clients of a deployment that write as fast as they are let, how long they were kept from it, and when all is well."""

from __future__ import annotations

import itertools
import threading
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from redis_fleet.agent.load_client.writer import Bits
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.agent.replication.view import connect, view
from tests.harness.hosts.deployment import Deployment
from tests.harness.hosts.waiting import eventually


class Client:
    """Writes one number after the other, as fast as it is let, and finds the master by the Sentinels."""

    def __init__(self, deployment: Deployment, key: str = "numbers") -> None:
        """Prepare."""
        self._target, self._key = deployment.target(), key
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
            return self._bits.not_in(bytes(master.get(self._key) or b""))

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                with self._master() as master:
                    while not self._ended.is_set():
                        self._number += 1
                        master.setbit(self._key, self._number, 1)
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


def calm(deployment: Deployment) -> str:
    """Wait until all is well; returns the machine of the master."""
    eventually(lambda: settled(deployment), "all is well")
    return master(deployment)
