"""Starting, restarting and waiting, against peers that say what a server is hardly ever seen to say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from redis_fleet.agent.access import Access
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.errors import NotReadyError
from redis_fleet.agent.messages.files import Files
from redis_fleet.agent.messages.kind import SENTINEL, SERVER, Kind
from redis_fleet.agent.messages.process import ManagedProcess
from redis_fleet.agent.messages.running import Peers, Restart, Start, Starting, WaitInSync
from redis_fleet.agent.process.restart import restart
from redis_fleet.agent.process.start import start
from redis_fleet.agent.process.wait_in_sync import wait_in_sync
from tests.harness.peer import Peer, told

# Stands for a server that makes itself a daemon at once.
DAEMON = str(shutil.which("true"))


class Scene:
    """A replica, its master and a Sentinel, all well; ``others`` are who else replicates."""

    def __init__(self, folder: Path) -> None:
        """Make them; a test then says what is amiss."""
        self._folder, self._open = folder, ExitStack()
        self.master, self.replica, self.sentinel = (self._open.enter_context(Peer()) for _ in range(3))
        self.others = (Endpoint("127.0.0.1", 7001), Endpoint("127.0.0.1", 7002))
        rows = {
            f"slave{number}": f"ip={each.address},port={each.port},state=online,offset=10,lag=0"
            for number, each in enumerate(self.others)
        }
        self.master.says |= {"ROLE": ["master", 10, []], "INFO": told(role="master", master_repl_offset=10, **rows)}
        self.replica_says()
        self.sentinel_says()

    def close(self) -> None:
        """End all."""
        self._open.close()

    def replica_says(self, **more: object) -> None:
        """Let the replica say something else in INFO."""
        fields = {"role": "slave", "loading": 0, "master_link_status": "up", "master_sync_in_progress": 0}
        link = ["slave", "127.0.0.1", self.master.port, "connected", 10]
        self.replica.says |= {"ROLE": link, "INFO": told(**{**fields, "slave_repl_offset": 10, **more})}

    def sentinel_says(self, replicas: int = 1, sentinels: int = 0, quorum: str = "OK 1 usable Sentinels") -> None:
        """Let the Sentinel know of so many."""
        row = ["name", "x", "ip", "127.0.0.1", "port", "1", "flags", "slave"]
        view = ["name", "orders", "ip", "127.0.0.1", "port", str(self.master.port), "flags", "master"]
        self.sentinel.says |= {
            "SENTINEL MASTERS": [view],
            "SENTINEL REPLICAS": [row] * replicas,
            "SENTINEL SLAVES": [row] * replicas,
            "SENTINEL SENTINELS": [row] * sentinels,
            "SENTINEL CKQUORUM": quorum,
            "INFO": told(redis_mode="sentinel"),
        }

    def process(self, peer: Peer, kind: Kind = SERVER) -> ManagedProcess:
        """Return what a machine knows of one of them."""
        file = self._folder / "redis.conf"
        file.touch()
        access = Access(Endpoint("127.0.0.1", peer.port))
        log, pid = (str(self._folder / name) for name in ("log", "pid"))
        return ManagedProcess("it", kind, access, str(file), data=str(self._folder), log=log, pid=pid)

    def refusal(self, peer: Peer, expect: str, kind: Kind = SERVER, **more: Any) -> str:
        """Return why one of them is not restarted."""
        asked: dict[str, Any] = {"others": self.others, "needed": 2, "masters": {"orders": Peers(1, 0)}, **more}
        with pytest.raises(NotReadyError) as raised:
            restart(Restart(self.process(peer, kind), expect, **asked))
        return str(raised.value)

    def unready(self, peer: Peer, expect: str, kind: Kind = SERVER) -> str:
        """Return what one of them still lacks after a start."""
        asked = Start(Files(supervised=False), (Starting(self.process(peer, kind), expect),), DAEMON, timeout=0.2)
        with pytest.raises(NotReadyError) as raised:
            start(asked)
        return str(raised.value)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Give all of them; they end with the test."""
    made = Scene(tmp_path)
    yield made
    made.close()


def test_a_replica_that_became_the_master_is_not_restarted_as_a_replica(scene: Scene) -> None:
    scene.replica.says["ROLE"] = ["master", 10, []]
    assert "it is a master, not a replica" in scene.refusal(scene.replica, "replica")


def test_nor_is_one_that_loads_or_has_no_link(scene: Scene) -> None:
    scene.replica_says(loading=1)
    assert "it is still loading its data" in scene.refusal(scene.replica, "replica")
    scene.replica_says(master_link_status="down")
    assert f"its link to 127.0.0.1:{scene.master.port} is down" in scene.refusal(scene.replica, "replica")
    scene.replica_says(master_sync_in_progress=1)
    assert "its link to" in scene.refusal(scene.replica, "replica")


def test_nor_is_one_whose_master_is_none_or_is_silent(scene: Scene) -> None:
    scene.master.says["INFO"] = told(role="slave", master_repl_offset=10)
    assert "is a replica itself" in scene.refusal(scene.replica, "replica")
    scene.master.says["INFO"] = ValueError("LOADING Redis is loading the dataset in memory")
    assert "does not answer (LOADING" in scene.refusal(scene.replica, "replica")


@pytest.mark.parametrize(
    "row",
    [
        "ip=127.0.0.1,port=7001,state=wait_bgsave,offset=0,lag=0",
        "ip=127.0.0.1,port=7001,state=online,offset=10,lag=6",
        "ip=127.0.0.1,port=7003,state=online,offset=10,lag=0",
    ],
    ids=["still synchronising", "not heard of lately", "none of the others"],
)
def test_nor_is_one_while_another_is_not_in_step(scene: Scene, row: str) -> None:
    sound = "ip=127.0.0.1,port=7002,state=online,offset=10,lag=5"
    scene.master.says["INFO"] = told(role="master", master_repl_offset=10, slave0=row, slave1=sound)
    assert "1 of 2 other replicas are in step" in scene.refusal(scene.replica, "replica")
    assert "1 of 2 replicas are in step with it" in scene.refusal(scene.master, "master")


def test_a_sentinel_is_not_restarted_while_others_are_not_known_to_it(scene: Scene) -> None:
    scene.sentinel_says(replicas=0)
    said = scene.refusal(scene.sentinel, "sentinel", SENTINEL)
    assert "it knows 0 of 1 replicas of orders and 0 of 0 other Sentinels" in said
    scene.sentinel_says(quorum="NOQUORUM 1 usable Sentinels")
    assert "it finds no quorum for orders" in scene.refusal(scene.sentinel, "sentinel", SENTINEL)
    del scene.sentinel.says["SENTINEL MASTERS"]
    assert "does not answer" in scene.refusal(scene.sentinel, "sentinel", SENTINEL)


def test_nothing_is_asked_to_stop_when_a_restart_is_refused(scene: Scene) -> None:
    scene.replica_says(master_link_status="down")
    scene.refusal(scene.replica, "replica")
    assert {each.split()[0] for each in scene.replica.heard} <= {"PING", "ROLE", "INFO"}


def test_a_process_that_is_something_else_after_its_start_is_named(scene: Scene) -> None:
    assert "is a slave, not a master" in scene.unready(scene.replica, "master")
    assert "is a master, not a replica" in scene.unready(scene.master, "replica")
    scene.replica_says(loading=1)
    assert "is still loading its data" in scene.unready(scene.replica, "replica")
    scene.sentinel.says["SENTINEL MASTERS"] = []
    assert "watches no master" in scene.unready(scene.sentinel, "sentinel", SENTINEL)


def test_whom_a_wait_was_in_vain_for_is_named(scene: Scene) -> None:
    scene.replica.says |= {"CONFIG GET": []}
    asked = WaitInSync((scene.process(scene.replica),), masters={"orders": Peers(1, 0)}, timeout=0.2)
    assert wait_in_sync(asked).amiss == ()
    scene.replica_says(master_link_status="down")
    assert wait_in_sync(asked).amiss == ("it is not in step with its master (link down)",)
