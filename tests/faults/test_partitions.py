"""Networks that are cut, with real packets dropped: a run does the right thing, or stops before its first change.

When it stops it says which nodes could not be asked or do not agree, and every process, its role, its settings and its
files are as before. What the majority's master acknowledged is never lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from redis_fleet.agent.replication.fitness import SILENCE
from tests.harness.hosts.deployment import Deployment, Done
from tests.harness.hosts.packets import cut, dropped
from tests.harness.hosts.waiting import eventually

RUNS = ("live", "rolling", "switchover")
_SENTINEL, _SERVER = 26379, 6379


def test_minority_master(deployment: Deployment) -> None:
    """Its machine reaches the controller only; the others have promoted a replica."""
    old = deployment.master()
    others = [machine for machine in deployment.hosts if machine != old]
    with cut(deployment.hosts[old], *(deployment.hosts[each] for each in others)):
        eventually(lambda: _masters(deployment) > {old}, "the majority promotes a replica")
        (new,) = _masters(deployment) - {old}
        (third,) = set(others) - {new}
        eventually(lambda: _named(deployment, others) == {deployment.hosts[new].address}, "the majority agrees")
        eventually(lambda: _linked(deployment, third, new), "the other replica follows")
        with deployment.writing(sentinels=tuple(others)) as written:
            for run in RUNS:
                done = _run_in_vain(deployment, run)
                assert f"sentinel-26379@{old}" in done.failures or f"orders-6379@{old}" in done.failures
    # Healed: the client above has ended, what it was told is in the new master.
    assert written.sum.acknowledged_lost == 0
    with deployment.writing(sentinels=tuple(others)) as written:
        deployment.deploy()
    assert written.sum.acknowledged_lost == 0
    assert deployment.master() == new
    deployment.settled()


@pytest.mark.parametrize("run", RUNS)
def test_one_sentinel_isolated(deployment: Deployment, run: str) -> None:
    """It reaches all servers and no other Sentinel; two still are a majority."""
    alone, *others = deployment.hosts
    with deployment.writing() as written, cut(*(deployment.hosts[each] for each in (alone, *others)), port=_SENTINEL):
        eventually(lambda: not _quorum(deployment, alone), "the Sentinel misses the others")
        _right_or_in_vain(deployment, run, f"sentinel-26379@{alone}")
    assert written.sum.acknowledged_lost == 0


@pytest.mark.parametrize("run", RUNS)
def test_two_sentinels_isolated(deployment: Deployment, run: str) -> None:
    """No Sentinel reaches another: none could elect, so nothing may be taken down."""
    with deployment.writing() as written, _sentinels_apart(deployment):
        eventually(lambda: not any(_quorum(deployment, each) for each in deployment.hosts), "no Sentinel has a quorum")
        done = _run_in_vain(deployment, run)
        assert "sentinel-26379@" in done.failures
    assert written.sum.acknowledged_lost == 0


@pytest.mark.parametrize("run", RUNS)
def test_controller_reaches_two_of_three(deployment: Deployment, run: str) -> None:
    """All is well with the service; the controller cannot ask one machine."""
    *_, third = deployment.hosts
    with deployment.writing() as written, _unreachable(deployment, third):
        if run == "switchover":
            _right_or_in_vain(deployment, run, third)
        else:
            assert third in _run_in_vain(deployment, run).failures
    assert written.sum.acknowledged_lost == 0


def test_replica_without_its_master(deployment: Deployment) -> None:
    """A replica that does not hear its master any more is not made the master."""
    master = deployment.master()
    lagging, *_ = (machine for machine in deployment.hosts if machine != master)
    with (
        deployment.writing() as written,
        cut(deployment.hosts[lagging], deployment.hosts[master], port=_SERVER),
    ):
        eventually(lambda: _silence(deployment, master, lagging) > SILENCE, "the master misses the replica")
        before = deployment.seen()
        done = _try(deployment, "switchover", "--to", lagging)
        assert done.code == 1, done.text
        _same(before, deployment.seen())
        # Its own word, or the word of the Sentinel beside it, which misses the master too.
        assert f"@{lagging}" in done.failures
    assert deployment.master() == master
    assert written.sum.acknowledged_lost == 0


def _silence(deployment: Deployment, master: str, replica: str) -> int:
    """Return for how many seconds a master has not heard of a replica; very long when it knows it no more."""
    address = deployment.hosts[replica].address
    lines = deployment.cli(f"orders-6379@{master}", "INFO", "replication").splitlines()
    rows = [line for line in lines if f"ip={address}," in line]
    return max((int(row.rpartition("lag=")[2]) for row in rows), default=SILENCE + 1)


def _try(deployment: Deployment, run: str, *words: str) -> Done:
    """Do one of the runs; the edit of the description stays."""
    text = deployment.file.read_text(encoding="utf-8")
    setting = {"live": "      hz: 20\n", "rolling": "      databases: 32\n"}
    if run == "switchover":
        return deployment.run("switchover", "orders", "--yes", *words)
    if setting[run] not in text:
        deployment.edit("      appendonly: yes\n", "      appendonly: yes\n" + setting[run])
    done = deployment.run("deploy", "--yes", *words)
    if done.code:
        deployment.file.write_text(text, encoding="utf-8")
    return done


def _run_in_vain(deployment: Deployment, run: str, *words: str) -> Done:
    """Do a run that has to stop before it changes anything."""
    before = deployment.seen()
    done = _try(deployment, run, *words)
    assert done.code == 1, done.text
    assert "nothing was" in done.failures, done.failures
    _same(before, deployment.seen())
    return done


def _right_or_in_vain(deployment: Deployment, run: str, node: str) -> None:
    """Do a run that may succeed, and must name a node if it does not."""
    before = deployment.seen()
    done = _try(deployment, run)
    if done.code == 0:
        return
    assert node in done.failures, done.failures
    _same(before, deployment.seen())


def _same(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Expect every machine to be as it was; names what is not."""
    others = {
        f"{process}@{machine} {key}": (seen[key], after[machine][process][key])
        for machine, processes in before.items()
        for process, seen in processes.items()
        for key in seen
        if after[machine][process][key] != seen[key] and key != "settings"
    }
    for machine, processes in before.items():
        for process, seen in processes.items():
            for name, value in seen.get("settings", {}).items():
                if (now := after[machine][process]["settings"].get(name)) != value:
                    others[f"{process}@{machine} {name}"] = (value, now)
    assert others == {}


@contextmanager
def _sentinels_apart(deployment: Deployment) -> Iterator[None]:
    """Drop everything between Sentinels."""
    first, second, third = deployment.hosts.values()
    with cut(first, second, third, port=_SENTINEL), cut(second, third, port=_SENTINEL):
        yield


@contextmanager
def _unreachable(deployment: Deployment, machine: str) -> Iterator[None]:
    """Drop everything between a host and whatever is not one of the hosts, the controller among it."""
    host = deployment.hosts[machine]
    gateway = deployment.exec(machine, "sh", "-c", "ip route show default | cut -d ' ' -f 3")
    with dropped(host, gateway):
        yield


def _masters(deployment: Deployment) -> set[str]:
    return {name.rpartition("@")[2] for name, role in deployment.roles().items() if role == "master"}


def _named(deployment: Deployment, machines: list[str]) -> set[str]:
    """Return the addresses that the Sentinels of some machines name as the master."""
    seen = deployment.seen()
    return {seen[machine]["sentinel-26379"]["masters"]["orders"]["ip"] for machine in machines}


def _linked(deployment: Deployment, replica: str, master: str) -> bool:
    role = deployment.seen()[replica]["orders-6379"]["role"]
    return bool(role[1:2] == [deployment.hosts[master].address])


def _quorum(deployment: Deployment, machine: str) -> bool:
    """Say whether the Sentinel of a machine could authorise a failover."""
    sentinel = next(node for node in deployment.target().sentinels if node.machine == machine)
    return deployment.cli(sentinel.id, "SENTINEL", "CKQUORUM", "orders").startswith("OK")
