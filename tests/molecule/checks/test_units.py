"""Each process has a unit of its own, confined; the packages' own instances never ran."""

from __future__ import annotations

import pytest

from tests.molecule.expected import Expected, Machine, Process
from tests.molecule.remote import host, properties

# systemd.exec(5). Redis needs its own folders, its socket and nothing else of the machine.
_CONFINED = {
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectSystem": "strict",
    "RestrictRealtime": "yes",
    "CapabilityBoundingSet": "",
    "Type": "notify",
}


def test_is_enabled_and_active(process: Process) -> None:
    service = host(process.machine).service(process.unit)
    assert service.is_enabled
    assert service.is_running


def test_runs_as_the_redis_user(process: Process) -> None:
    pid = properties(process, "MainPID")["MainPID"]
    assert host(process.machine).check_output("ps -o user= -p %s", pid) == process.engine


def test_has_not_been_restarted_by_systemd(process: Process) -> None:
    assert properties(process, "NRestarts")["NRestarts"] == "0"


def test_is_confined(process: Process) -> None:
    assert properties(process, *_CONFINED) == _CONFINED


def test_may_write_only_its_own_folders(process: Process) -> None:
    writable = properties(process, "ReadWritePaths", "StateDirectory", "LogsDirectory", "ConfigurationDirectory")
    named = " ".join(writable.values()).split()
    assert all(process.name in path or path.strip("-").startswith("/var/log/") for path in named), named


@pytest.mark.parametrize("kind", ["server", "sentinel"])
def test_instance_of_the_package_is_masked_and_never_ran(machine: Machine, kind: str, expected: Expected) -> None:
    unit = f"{expected.engine}-{kind}.service"
    shown = host(machine).check_output("systemctl show %s --property LoadState,ActiveEnterTimestamp,ActiveState", unit)
    assert set(shown.splitlines()) == {"LoadState=masked", "ActiveEnterTimestamp=", "ActiveState=inactive"}
    said = host(machine).check_output("journalctl --no-pager --quiet --output cat --unit %s", unit)
    assert "Started" not in said
    assert not host(machine).file(f"/var/lib/{expected.engine}/dump.rdb").exists
    assert not host(machine).file(f"/var/log/{expected.engine}/{expected.engine}-{kind}.log").exists


def test_machine_has_no_failed_unit(machine: Machine) -> None:
    assert host(machine).check_output("systemctl --failed --plain --no-legend") == ""
