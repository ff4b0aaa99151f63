"""A deployment made by hand is imported, found to need nothing, and then changed while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.hosts.engine import ROOT
from tests.takeover.conftest import PASSWORD, WATCHWORD, ByHand

COMMAND = str(Path(sys.executable).with_name("redis-fleet"))


@pytest.fixture(scope="module", autouse=True)
def _environment(by_hand: ByHand) -> Iterator[None]:
    """How an administrator's own ssh configuration would reach the machines, and the passwords that they know."""
    variables = by_hand.hosts["red1"].variables
    patch = pytest.MonkeyPatch()
    patch.setenv("ANSIBLE_PRIVATE_KEY_FILE", str(variables["ansible_ssh_private_key_file"]))
    patch.setenv("ANSIBLE_SSH_COMMON_ARGS", str(variables["ansible_ssh_common_args"]))
    patch.setenv("REDIS_MYMASTER_PASSWORD", PASSWORD)
    patch.setenv("REDIS_SENTINEL_PASSWORD", WATCHWORD)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def imported(by_hand: ByHand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The description that comes of asking the machines."""
    file = tmp_path_factory.mktemp("takeover") / "shop.redis.yml"
    hosts = [word for host in by_hand.hosts.values() for word in ("--host", _ssh(host.variables))]

    done = _run("import", *hosts, "--name", "shop", "-o", str(file))

    assert done.returncode == 0, done.stderr
    text = file.read_text(encoding="utf-8")
    for secret in (PASSWORD, WATCHWORD):
        assert secret not in text + done.stdout + done.stderr
    return file


def _ssh(variables: Any) -> str:
    return f"{variables['ansible_user']}@{variables['ansible_host']}:{variables['ansible_port']}"


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_plan_after_the_import_is_empty(imported: Path) -> None:
    done = _run("plan", str(imported), "--json")

    told = json.loads(done.stdout)
    assert (told.get("steps"), told.get("refusals")) == ([], []), done.stdout
    assert done.returncode == 0


@pytest.mark.usefixtures("imported")
def test_nothing_was_touched_so_far(by_hand: ByHand) -> None:
    for machine in by_hand.hosts:
        units = by_hand.run(machine, "sh", "-c", "ls /etc/systemd/system /etc/sysctl.d")
        assert "redis-shop" not in units
        assert "redis-fleet" not in units
        assert "60-redis-fleet.conf" not in units


def test_a_change_is_live_and_keeps_every_process(by_hand: ByHand, imported: Path) -> None:
    before = by_hand.pids()
    text = imported.read_text(encoding="utf-8")
    assert text.count("maxmemory: 100mb") == 1
    imported.write_text(text.replace("maxmemory: 100mb", "maxmemory: 120mb"), encoding="utf-8")

    done = _run("deploy", str(imported), "--json")

    assert done.returncode == 0, done.stderr
    assert {step["how"] for step in json.loads(done.stdout)["steps"]} == {"LIVE"}
    assert by_hand.pids() == before
    for machine in by_hand.hosts:
        assert by_hand.server(machine, "CONFIG", "GET", "maxmemory") == ["maxmemory", str(120 * 1024**2)]
        assert "maxmemory 120mb" in by_hand.run(machine, "cat", "/etc/redis/redis.conf")
        assert by_hand.server(machine, "GET", "canary") == "sings"


def test_it_verifies_and_a_further_run_changes_nothing(imported: Path) -> None:
    assert _run("verify", str(imported)).returncode == 0
    again = _run("deploy", str(imported), "--json")
    assert sum(json.loads(again.stdout)["changed"].values()) == 0, again.stdout


def test_a_setting_that_is_read_at_the_start_rolls_through_the_units_that_were_there(
    by_hand: ByHand, imported: Path
) -> None:
    text = imported.read_text(encoding="utf-8")
    imported.write_text(text.replace("tcp-backlog: 511", "tcp-backlog: 256"), encoding="utf-8")

    done = _run("deploy", "--yes", str(imported), "--json")

    assert done.returncode == 0, done.stderr
    for machine in by_hand.hosts:
        assert by_hand.server(machine, "CONFIG", "GET", "tcp-backlog") == ["tcp-backlog", "256"]
        assert by_hand.run(machine, "systemctl", "is-active", "redis-server").strip() == "active"
        assert by_hand.server(machine, "GET", "canary") == "sings"
