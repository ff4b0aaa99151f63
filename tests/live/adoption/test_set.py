"""A master, two replicas and three Sentinels, set up by hand and failed over once: imported, they start again alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from redis_fleet.agent.protocol.resp import pairs
from redis_fleet.render.files import configuration
from tests.harness.live.importing import imported
from tests.harness.live.processes import MONITOR, PASSWORD, SENTINEL_PASSWORD, Group, eventually, running_group

_FILES = {"server": "redis.conf", "sentinel": "sentinel.conf"}


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with running_group(tmp_path_factory.mktemp("set")) as one:
        yield one


def copies(group: Group, folder: Path) -> list[Path]:
    """Copy the files as they are today, a folder a machine."""
    for node in [*group.target.members, *group.target.sentinels]:
        kind = "sentinel" if "sentinel" in node.id else "server"
        (folder / node.machine).mkdir(parents=True, exist_ok=True)
        shutil.copy(group.folder / node.id / "conf", folder / node.machine / _FILES[kind])
    return [folder / f"red{number}" for number in (1, 2, 3)]


def settings(group: Group) -> dict[str, object]:
    """Return what every process tells of its configuration."""
    told: dict[str, object] = {
        node.id: pairs(group.call(node.id, "CONFIG", "GET", "*")) for node in group.target.members
    }
    for node in group.target.sentinels:
        watched = pairs(group.call(node.id, "SENTINEL", "MASTER", MONITOR))
        names = ("ip", "port", "quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs", "num-slaves")
        told[node.id] = {name: watched[name] for name in (*names, "num-other-sentinels", "flags")}
    return told


def test_a_set_that_failed_over_comes_back(group: Group, tmp_path: Path) -> None:
    first = group.target.members[0]
    eventually(lambda: group.call("sentinel@red1", "SENTINEL", "FAILOVER", MONITOR) == "OK", "a failover begins")
    eventually(lambda: promoted(group) not in ("", first.id) and group.settled(), "another one is the master", 60)
    eventually(lambda: len(set(addresses(group))) == 1, "all Sentinels know it", 60)
    master = promoted(group)
    before = settings(group)

    fleet, adopted = imported(copies(group, tmp_path / "in"), tmp_path / "out", "redis")

    (service,) = fleet.services
    assert service.name == MONITOR
    assert service.watch is not None and service.watch.quorum == 2
    assert service.first_master is not None
    assert service.first_master.machine == master.partition("@")[2]
    assert {each.machine for each in service.processes} == {"red1", "red2", "red3"}
    assert len(fleet.sentinels) == 3
    for secret in (PASSWORD, SENTINEL_PASSWORD):
        assert secret not in adopted.text + "".join(adopted.notes)

    for process in fleet.processes:
        name = f"{'sentinel' if process.kind == 'sentinel' else 'orders'}@{process.machine}"
        group.kill(name)
        (group.folder / name / "conf").write_text(configuration(fleet, process), encoding="utf-8")
    for node in [*group.target.members, *group.target.sentinels]:
        group.start(node.id)
    eventually(group.settled, "the set is healthy again, all passwords fit", 60)
    eventually(lambda: settings(group) == before, "every process tells the same as before", 30)


def promoted(group: Group) -> str:
    """Return the id of the one master, empty while there is none or more, or while one cuts its clients off."""
    try:
        roles = {node.id: group.call(node.id, "ROLE")[0] for node in group.target.members}
    except OSError:
        # Sentinel ends all connections of a server that it makes a master or a replica.
        return ""
    masters = [name for name, role in roles.items() if role == "master"]
    return masters[0] if len(masters) == 1 else ""


def addresses(group: Group) -> list[tuple[str, ...]]:
    """Return where each Sentinel sees the master."""
    named = [group.call(node.id, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MONITOR) for node in group.target.sentinels]
    return [tuple(each) for each in named]
