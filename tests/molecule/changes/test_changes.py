"""Edits of the description of a deployment that runs, each deployed while a client writes through the Sentinels.

What Redis takes while it runs restarts nothing and holds up no write; the rest rolls. After each nothing is left to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.harness.hosts import hosts
from tests.harness.hosts.deployment import Deployment
from tests.harness.hosts.engine import ROOT
from tests.harness.hosts.rotation import accepts, counting
from tests.harness.hosts.waiting import eventually
from tests.molecule.expected import Machine

_BIND = '    bind: ["{{ address }}"]\n'
_CONFIG = "    config:                      # redis.conf directives under their own names\n"


def test_first_deployment_leaves_nothing_to_do(deployment: Deployment) -> None:
    deployment.settled()


def test_live_changes_restart_nothing(deployment: Deployment, redis6: bool) -> None:
    pids = deployment.pids()
    deployment.edit("save: [900 1, 300 10, 60 10000]", "save: [600 1, 60 5000]")
    deployment.edit("maxmemory: 1gb", "maxmemory: 200mb")
    deployment.edit("appendonly: yes", "appendonly: no\n      maxmemory-policy: allkeys-lru")
    deployment.edit("appendfsync: everysec", "appendfsync: always")
    deployment.edit("auto-aof-rewrite-percentage: 100", "auto-aof-rewrite-percentage: 80")
    deployment.edit("down-after-milliseconds: 5000", "down-after-milliseconds: 4000")
    if not redis6:
        deployment.edit(_CONFIG, _BIND + _CONFIG)

    _live(deployment, "orders-6379@red1", "sentinel-26379@red3")

    assert deployment.pids() == pids


def test_appendonly_comes_back_while_it_runs(deployment: Deployment) -> None:
    pids = deployment.pids()
    deployment.edit("appendonly: no", "appendonly: yes")

    _live(deployment, "orders-6379@red1")

    assert deployment.pids() == pids


def test_what_was_set_by_hand_is_put_right(deployment: Deployment) -> None:
    pids, before = deployment.pids(), _settings(deployment)
    deployment.cli("orders-6379@red2", "CONFIG", "SET", "maxmemory", "77mb")
    deployment.cli("orders-6379@red2", "CONFIG", "SET", "hz", "33")
    assert _settings(deployment)["red2"]["hz"] == "33"

    planned = deployment.run("plan")

    assert [step["process"] for step in planned.json["steps"]] == ["orders-6379"]
    assert {change["directive"] for change in planned.json["steps"][0]["changes"]} == {"maxmemory", "hz"}
    assert "drift" in planned.json["steps"][0]["reason"]
    _live(deployment, "orders-6379@red2")
    assert _settings(deployment) == before
    assert deployment.pids() == pids


def test_what_needs_a_restart_rolls(deployment: Deployment, redis6: bool) -> None:
    pids = deployment.pids()
    deployment.edit("      appendonly: yes", "      databases: 32\n      tcp-backlog: 256\n      appendonly: yes")
    if redis6:
        deployment.edit(_CONFIG, _BIND + _CONFIG)

    with deployment.writing() as written:
        done = deployment.deploy()

    assert written.sum.acknowledged_lost == 0
    (report,) = done.json["reports"]
    assert report["acknowledged_lost"] == 0
    restarted = {name for name, started in deployment.pids().items() if started != pids[name]}
    assert restarted == {f"orders-6379@{machine}" for machine in ("red1", "red2", "red3")}
    assert {each["databases"] for each in _settings(deployment).values()} == {"32"}
    deployment.settled()


def test_passwords_change_without_a_refused_client(deployment: Deployment, redis6: bool) -> None:
    pids, syncs = deployment.pids(), _full_syncs(deployment)
    master = deployment.hosts[deployment.master()].address
    old, old_sentinel = (_secret(deployment, name).read_text().strip() for name in ("orders", "sentinel"))
    new, new_sentinel = old[::-1], old_sentinel[::-1]

    with counting(master, 6379, old, new) as counted:
        _secret(deployment, "orders").write_text(new + "\n")
        _secret(deployment, "sentinel").write_text(new_sentinel + "\n")
        deployment.deploy()

    assert counted.refused == []
    assert counted.stored == counted.acknowledged > 0
    assert _full_syncs(deployment) == syncs
    restarted = {name.partition("@")[0] for name, started in deployment.pids().items() if started != pids[name]}
    assert restarted == ({"sentinel-26379"} if redis6 else set())
    for host in deployment.hosts.values():
        assert not accepts(host.address, 6379, old)
        assert not accepts(host.address, 26379, old_sentinel)
        assert accepts(host.address, 6379, new)
        assert accepts(host.address, 26379, new_sentinel)
    deployment.settled()


def test_replica_leaves_and_comes_back(deployment: Deployment) -> None:
    assert deployment.master() == "red2", "red3 is a replica, and not the one that the file names first"
    pids = deployment.pids()
    deployment.edit("replicas: [red2, red3]", "replicas: [red2]")
    with deployment.writing() as written:
        done = deployment.deploy()
        assert [step["how"] for step in done.json["steps"]] == ["STOP", "FORGET", "FORGET", "FORGET"]
        deployment.settled()
        assert deployment.exec("red3", "sh", "-c", "systemctl is-active redis-orders-6379 || :") == "inactive"
        deployment.edit("replicas: [red2]", "replicas: [red2, red3]")
        deployment.deploy()
        deployment.settled()

    assert written.sum.acknowledged_lost == written.sum.refused == 0
    restarted = {name for name, started in deployment.pids().items() if started != pids[name]}
    assert restarted == {"orders-6379@red3"}


def test_check_mode_shows_differences_and_changes_nothing(deployment: Deployment) -> None:
    deployment.edit("      databases: 32", "      databases: 24\n      hz: 20")
    before = deployment.seen()
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(deployment.file)]
    said = subprocess.run(
        [*command, "playbooks/deploy.yml", "--check", "--diff"],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout

    assert "-databases 32\n+databases 24\n" in said
    assert "-hz 10\n+hz 20\n" in said
    assert _secret(deployment, "orders").read_text().strip() not in said
    assert deployment.seen() == before
    deployment.edit("      databases: 24\n      hz: 20", "      databases: 32")


def test_reboot_of_the_master(deployment: Deployment) -> None:
    machine = deployment.hosts[deployment.master()]
    hosts.power_off(machine)
    hosts.power_on(machine)
    eventually(lambda: len(deployment.roles()) == len(deployment.hosts), "all servers answer")

    deployment.settled()


def test_switchover_under_writes(deployment: Deployment) -> None:
    if deployment.master() == "red1":
        assert deployment.run("switchover", "orders", "--to", "red2", "--yes").code == 0
    with deployment.writing() as written:
        done = deployment.run("switchover", "orders", "--to", "red1", "--yes")

    assert done.code == 0, done.text
    assert done.json["new_master"] == "orders-6379@red1"
    assert done.json["acknowledged_lost"] == written.sum.acknowledged_lost == 0
    assert deployment.master() == "red1"
    deployment.settled()


def test_runs_leave_no_lock_and_no_password(deployment: Deployment, machine: Machine) -> None:
    assert deployment.exec(machine.name, "find", "/run/redis-fleet", "-type", "f", "-name", "*.lock") == ""
    journal = deployment.exec(machine.name, "cat", "/var/log/redis-fleet/shop.jsonl")
    assert journal.count('"event": "begin"') == journal.count('"event": "end"') > 5
    secret = _secret(deployment, "orders").read_text().strip()
    for password in (secret, secret[::-1]):
        assert password not in journal
        readable = "find /etc /var /run /tmp /home -xdev -type f -perm /004 -print0"
        leaks = f"cat >/root/sought; {readable} | xargs -0 grep -lsF -f /root/sought; rm /root/sought"
        assert deployment.exec(machine.name, "sh", "-c", leaks, stdin=password) == ""


def _live(deployment: Deployment, *among: str) -> None:
    """Deploy while a client writes: it must not notice, and nothing is left to do."""
    with deployment.writing() as written:
        done = deployment.deploy()
    changed = {f"{step['process']}@{step['machine']}" for step in done.json["steps"]}
    assert changed >= set(among)
    assert {step["how"] for step in done.json["steps"]} == {"LIVE"}
    assert written.sum.acknowledged_lost == written.sum.refused == 0
    deployment.settled()


def _settings(deployment: Deployment) -> dict[str, dict[str, str]]:
    return {machine: processes["orders-6379"]["settings"] for machine, processes in deployment.seen().items()}


def _secret(deployment: Deployment, name: str) -> Path:
    return deployment.file.parent / ".secrets" / name


def _full_syncs(deployment: Deployment) -> str:
    said = deployment.cli(f"orders-6379@{deployment.master()}", "INFO", "stats")
    return next(line for line in said.splitlines() if line.startswith("sync_full"))
