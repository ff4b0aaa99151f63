"""Rendering beyond the golden files: what is masked, who owns what, and that Redis reads back what was meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from redis_fleet.agent.conf.text import parse_file
from redis_fleet.model import Setting
from redis_fleet.render.files import (
    configuration,
    kernel_files,
    kernel_settings,
    machine_files,
    process_files,
    process_folders,
    write,
)
from tests.unit.cases.builder import fleet_of


@pytest.mark.parametrize("name", ["sentinel", "shared-machines", "standalone", "replication", "external", "volatile"])
def test_what_is_read_back_is_what_was_meant(name: str) -> None:
    fleet = fleet_of(name)
    for process in fleet.processes:
        read = [(line.name, *line.words) for line in parse_file(configuration(fleet, process))]
        meant = [(*setting.name.split(), *words) for setting in process.settings for words in setting.reveal()]
        assert sorted(read) == sorted(meant)


@pytest.mark.parametrize("name", ["sentinel", "shared-machines"])
def test_masked_text_holds_no_secret_and_every_other_line(name: str) -> None:
    fleet = fleet_of(name)
    for process in fleet.processes:
        clear = configuration(fleet, process).splitlines()
        masked = configuration(fleet, process, masked=True).splitlines()
        hidden = [line for line in clear if "-password" in line]
        assert hidden
        assert not [line for line in masked if "-password" in line]
        assert [line for line in masked if "********" not in line] == [line for line in clear if line not in hidden]
        assert len(masked) == len(clear)


def test_of_an_acl_line_only_the_name_is_shown() -> None:
    fleet = fleet_of("standalone")
    user = Setting("user", (("alice", "on", ">alice-password", "~*", "+@all"),), secret=True)
    process = replace(fleet.processes[0], settings=(user,))

    assert "user alice on >alice-password ~* +@all\n" in configuration(fleet, process)
    assert configuration(fleet, process, masked=True).endswith("\nuser alice ********\n")


def test_only_configuration_files_hold_secrets_and_only_their_owner_reads_those() -> None:
    fleet = fleet_of("sentinel")
    for machine in fleet.machines:
        for file in machine_files(fleet, machine):
            secret = b"-password" in file.content
            assert secret == (file.purpose == "configuration")
            assert (file.owner, file.mode) == (("redis", 0o640) if secret else ("root", 0o644))


def test_folders_are_closed_to_others() -> None:
    fleet = fleet_of("sentinel")

    folders = [(each.path, each.owner, each.mode, each.shared) for each in process_folders(fleet, fleet.processes[0])]

    assert folders == [
        ("/etc/redis/orders-6379", "redis", 0o750, False),
        ("/var/lib/redis/orders-6379", "redis", 0o750, False),
        ("/var/log/redis", "redis", 0o750, True),
    ]


def test_the_kernel_gets_the_largest_backlog_of_the_machine() -> None:
    fleet = fleet_of("sentinel")

    assert dict(kernel_settings(fleet, "red1")) == {"vm.overcommit_memory": "1", "net.core.somaxconn": "4096"}
    assert [file.path for file in kernel_files(fleet, "red1")] == [
        "/etc/sysctl.d/60-redis-fleet.conf",
        "/etc/tmpfiles.d/redis-fleet.conf",
    ]


def test_a_unit_lets_its_process_write_only_what_is_its_own() -> None:
    fleet = fleet_of("shared-machines")
    for process in fleet.on("red1"):
        unit = next(file for file in process_files(fleet, process) if file.purpose == "unit")
        (writable,) = [line for line in unit.content.decode().splitlines() if line.startswith("ReadWritePaths=")]
        paths = writable.removeprefix("ReadWritePaths=").split()
        assert paths == [f"/etc/redis/{process.name}", f"/var/lib/redis/{process.name}", "/var/log/redis"]


def test_writing_again_replaces_and_closes_what_was_there(tmp_path: Path) -> None:
    fleet = fleet_of("standalone")
    target = tmp_path / "red1" / "etc" / "redis" / "orders-6379" / "redis.conf"
    target.parent.mkdir(parents=True)
    target.write_text("old and longer than anything " * 999, encoding="utf-8")
    target.chmod(0o666)

    assert target in write(fleet, tmp_path)

    assert target.read_text(encoding="utf-8") == configuration(fleet, fleet.processes[0])
    assert target.stat().st_mode & 0o777 == 0o600
