"""A switchover done from here on a group of real processes, the load meanwhile, and what to look at afterwards."""

from __future__ import annotations

import threading
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from redis_fleet.agent.load_client.writer import Bits
from redis_fleet.agent.messages.handover import Handover
from redis_fleet.agent.messages.service import ServiceAccess
from redis_fleet.agent.messages.usual_values import Described, UsualValues
from redis_fleet.agent.protocol.resp import pairs
from redis_fleet.agent.replication import election, handover, promotion_priority
from redis_fleet.agent.replication.agreement import agreed_master, name_of
from redis_fleet.agent.replication.connections import PRIORITY
from redis_fleet.agent.replication.fence import MAX_LAG, MIN_REPLICAS
from redis_fleet.agent.replication.view import view
from redis_fleet.operations import switchover
from redis_fleet.operations.local import LocalClient
from redis_fleet.operations.switchover_report import SwitchoverReport
from tests.harness.live.processes import MONITOR, PASSWORD, Group

RED1, RED2, RED3 = "orders@red1", "orders@red2", "orders@red3"
SERVERS, SENTINELS = (RED1, RED2, RED3), ("sentinel@red1", "sentinel@red2", "sentinel@red3")
DIRECTIVES = (PRIORITY, MIN_REPLICAS, MAX_LAG)
USUAL = {name: {PRIORITY: "100", MIN_REPLICAS: "0", MAX_LAG: "10"} for name in SERVERS}


def described(values: dict[str, dict[str, str]]) -> Described:
    """Return values as a description has them."""
    return {name: UsualValues(said[PRIORITY], said[MIN_REPLICAS], said[MAX_LAG]) for name, said in values.items()}


class Hands:
    """Does it from here, as a machine of the deployment does."""

    def __init__(self, target: ServiceAccess, values: dict[str, dict[str, str]] | None = None) -> None:
        """Begin with clean hands."""
        self.target = target
        self.described = described(values or USUAL)
        self.done: list[str] = []

    def prefer(self, new: str, *, elect: bool) -> dict[str, int]:
        """Prefer a member."""
        self.done.append("prefer")
        return promotion_priority.prefer(self.target, new, self.described, elect=elect)

    def may_elect(self, old: str) -> str:
        """Ask the Sentinels."""
        return election.why_not(self.target, old)

    def hand_over(self, old: str, new: str, *, elect: bool) -> Handover:
        """Hand over."""
        self.done.append("hand_over")
        return handover.hand_over(self.target, old, new, self.described, elect=elect)

    def restore(self, priorities: dict[str, int]) -> list[str]:
        """Restore priorities."""
        self.done.append("restore")
        return promotion_priority.restore(self.target, priorities)


def switch(group: Group, to: str | None = None, target: ServiceAccess | None = None, by: str = "") -> SwitchoverReport:
    """Switch over with a writer."""
    aim = target or group.target
    return switchover.run(aim, Hands(aim), LocalClient(aim), lambda _: None, to, by=by)


def live(group: Group, *names: str) -> dict[str, dict[str, str]]:
    """Return the running values of what a switchover changes for the time, of all servers that are named."""
    return {
        name: {each: pairs(group.call(name, "CONFIG", "GET", each))[each] for each in DIRECTIVES}
        for name in names or SERVERS
    }


def filed(group: Group, *names: str) -> dict[str, dict[str, str]]:
    """Return the same as their files say, with the default where a file says nothing."""
    found = {}
    for name in names or SERVERS:
        lines = [line.split() for line in (group.folder / name / "conf").read_text().splitlines() if line.strip()]
        said = {words[0]: words[1] for words in lines if words[0] in DIRECTIVES}
        found[name] = {**USUAL[name], **said}
    return found


def follows(group: Group, name: str) -> str:
    """Return whom a server follows, by its own word and by its file, which must agree; empty for a master."""
    role = group.call(name, "ROLE")
    now = "" if role[0] == "master" else name_of(group.target, f"{role[1]}:{role[2]}")
    lines = (group.folder / name / "conf").read_text().splitlines()
    file = [name_of(group.target, ":".join(line.split()[1:3])) for line in lines if line.startswith("replicaof ")]
    assert file == ([now] if now else []), name
    return now


def named(group: Group) -> str:
    """Return the member that a majority of the Sentinels names."""
    return name_of(group.target, agreed_master(view(group.target)))


def sentinels_say(group: Group, what: str) -> set[str]:
    """Return what the Sentinels say of the master."""
    return {pairs(group.call(name, "SENTINEL", "MASTER", MONITOR))[what] for name in SENTINELS}


def agree_on(group: Group, master: str) -> None:
    """Assert that roles, files and Sentinels all agree on a master."""
    assert {name: follows(group, name) for name in SERVERS} == {
        name: "" if name == master else master for name in SERVERS
    }
    assert {name_of(group.target, one.master) for one in view(group.target).sentinels} == {master}


def healthy(group: Group, master: str) -> bool:
    """Whether all agree on a master and nothing is under way."""
    seen = view(group.target)
    named = {name_of(group.target, one.master) for one in seen.sentinels}
    calm = all(set(one.flags) == {"master"} for one in seen.sentinels)
    roles = [each.id for each in seen.members if each.role == "master"]
    return named == {master} and calm and roles == [master] and group.settled()


class Load:
    """A writer of 2 KB values in pipelines that finds the master through the Sentinels; it numbers each write."""

    def __init__(self, group: Group, number: int) -> None:
        """Prepare."""
        self.group, self.key = group, f"load:{number}"
        self.bits, self.acknowledged, self._next = Bits(), 0, 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _write(self) -> None:
        while not self._ended.is_set():
            try:
                with self._master() as master:
                    while not self._ended.is_set():
                        self._pipeline(master)
            except (redis.RedisError, OSError):
                time.sleep(0.02)

    def _master(self) -> redis.Redis:
        address, port = self.group.call(SENTINELS[self._next % 3], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MONITOR)
        return redis.Redis(address, int(port), password=PASSWORD, socket_timeout=2, retry=Retry(NoBackoff(), 0))

    def _pipeline(self, master: redis.Redis) -> None:
        with master.pipeline(transaction=False) as pipeline:
            numbers = range(self._next, self._next + 10)
            self._next += 10
            for number in numbers:
                pipeline.setbit(self.key, number, 1)
                pipeline.set(f"{self.key}:{number % 500}", "x" * 2048)
            replies = pipeline.execute(raise_on_error=False)
        for number, reply in zip(numbers, replies[::2], strict=True):
            if not isinstance(reply, Exception):
                self.bits.add(number)
                self.acknowledged += 1
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply

    def lost(self) -> int:
        """Return how many acknowledged writes the master does not have."""
        with self._master() as master:
            return self.bits.not_in(bytes(master.get(self.key) or b""))
