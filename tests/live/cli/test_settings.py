"""What runs after ``sandbox up`` is what the description asks for; a second deployment finds nothing to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from redis_fleet.render.files import process_files
from tests.harness.live.sandboxes import SAMPLES, Box, box, client_of, config, watched

_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30}


def asked(value: Any) -> str:
    """Return what CONFIG GET answers for a value of the samples; on purpose not by redis-fleet's own table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(value)
    size = re.fullmatch(r"(\d+)([kmg]b)", str(value))
    return str(int(size[1]) * _UNITS[size[2]]) if size else str(value)


def described(made: Box) -> dict[str, Any]:
    """Return the description as plain YAML."""
    return dict(yaml.safe_load(made.file.read_text(encoding="utf-8")))


def listening(pid: int) -> set[str]:
    """Return the addresses (as the kernel writes them) on which a process listens."""
    links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            words = row.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in links:
                found.add(words[1].partition(":")[0])
    return found


def remote_tasks(log: str) -> dict[str, int]:
    """Count per host what Ansible ran on it, by its own log at verbosity 3."""
    hosts = re.findall(r"<(\S+)> EXEC ", log)
    return {host: hosts.count(host) for host in hosts}


@pytest.mark.long
@pytest.mark.parametrize("sample", SAMPLES)
def test_what_runs_is_what_the_file_asks_for(tmp_path: Path, sample: str) -> None:
    # One test and not four: each needs the same sandbox, which takes longest.
    with box(tmp_path / "box", sample) as made:
        every_value_is_in_effect_on_loopback_only(made)
        masters_replicas_and_sentinels_are_as_described(made)
        files_of_servers_are_untouched_after_their_start(made)
        a_second_deployment_changes_nothing_in_one_round_trip_a_host(made)


def every_value_is_in_effect_on_loopback_only(made: Box) -> None:
    """CONFIG GET has every value of the file, and nothing listens elsewhere."""
    services = described(made)["services"]
    pids = made.pids()

    assert pids.keys() == {process.id for process in made.fleet.processes}
    for process in made.fleet.processes:
        assert listening(pids[process.id]) == {"0100007F"}, process.id
        if process.kind == "server":
            wanted = {name: asked(value) for name, value in services[process.service]["config"].items()}
            found = config(process)
            assert {name: found[name] for name in wanted} == wanted, process.id
            assert found["requirepass"]
            assert found["masterauth"] == found["requirepass"]


def masters_replicas_and_sentinels_are_as_described(made: Box) -> None:
    """ROLE and SENTINEL MASTER are what the file says."""
    file, fleet = described(made), made.fleet
    watch = file.get("sentinel", {}).get("config", {})

    for service in fleet.services:
        name = next(p.id for p in service.processes if p.machine == file["services"][service.name]["master"])
        master = made.process(name).endpoint
        for process in service.processes:
            role = client_of(process).role()
            expected = ["master"] if process.id == name else ["slave", master.address, master.port, "connected"]
            assert role[: len(expected)] == expected, process.id
        for sentinel in fleet.sentinels:
            view = watched(sentinel, service.name)
            assert (view["ip"], view["port"], view["quorum"]) == (master.address, master.port, 2)
            assert view["down-after-milliseconds"] == watch["down-after-milliseconds"]
            assert view["failover-timeout"] == watch["failover-timeout"]
            assert view["num-slaves"] == len(service.processes) - 1
            assert view["num-other-sentinels"] == len(fleet.sentinels) - 1


def files_of_servers_are_untouched_after_their_start(made: Box) -> None:
    """A redis.conf is the rendered one, byte for byte, until something makes the server rewrite it."""
    fleet = made.fleet
    for process in (each for each in fleet.processes if each.kind == "server"):
        for file in process_files(fleet, process):
            assert Path(file.path).read_bytes() == file.content
            assert Path(file.path).stat().st_mode & 0o777 == 0o600


def a_second_deployment_changes_nothing_in_one_round_trip_a_host(made: Box) -> None:
    """Same processes, nothing changed, one module call on each host."""
    before, log = made.pids(), made.folder / "ansible.log"

    done = made.on("deploy", "--json", environment={"ANSIBLE_LOG_PATH": str(log), "ANSIBLE_VERBOSITY": "3"})

    hosts = made.fleet.machines
    assert done.code == 0, done.both
    report = done.json()
    assert report["ok"]
    assert report["steps"] == []
    assert report["changed"] == dict.fromkeys(hosts, 0)
    assert remote_tasks(log.read_text(encoding="utf-8")) == dict.fromkeys(hosts, 1)
    assert made.pids() == before
