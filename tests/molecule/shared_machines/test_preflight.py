"""The pre-flight sees sound machines as such, and finds each fault that is made on one of them.

The faults are around a service that is described and never deployed: what runs does not notice them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.harness.hosts.deployment import Deployment
from tests.harness.hosts.packets import cut

_PORT = 6399
_SMALL = "/var/lib/redis/small"
_UNIT = "probe-listener.service"
_PROBE = f"""
services:
  probe:
    master: red1
    replicas: [red2, red3]
    port: {_PORT}
    password: "{{{{ lookup('password', inventory_dir ~ '/.secrets/probe chars=ascii_letters,digits length=32') }}}}"
    config:
      maxmemory: 64mb
      appendonly: yes
      dir: {_SMALL}/{{{{ name }}}}
"""
_MAY_CUT = os.geteuid() == 0 and shutil.which("nsenter") and shutil.which("iptables")

Rows = dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    """What runs."""
    return Deployment(os.environ["REDIS_FLEET_HOSTS"], Path(os.environ["REDIS_FLEET_DESCRIPTION"]))


@pytest.fixture(scope="module")
def faulty(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The deployment with one more service, and with what keeps that from working on each machine."""
    file = tmp_path_factory.mktemp("preflight") / "probe.redis.yml"
    text = deployment.file.read_text(encoding="utf-8")
    assert text.count("\nservices:\n") == 1
    file.write_text(text.replace("\nservices:\n", _PROBE), encoding="utf-8")
    shutil.copytree(deployment.file.parent / ".secrets", file.parent / ".secrets")
    with _faults(deployment):
        yield Deployment(deployment.name, file)


@contextmanager
def _faults(deployment: Deployment) -> Iterator[None]:
    with ExitStack() as undo:
        words = ("--quiet", f"--unit={_UNIT}", "python3", "-m", "http.server", str(_PORT))
        deployment.exec("red1", "systemd-run", *words)
        undo.callback(deployment.exec, "red1", "systemctl", "stop", _UNIT)
        deployment.exec("red2", "install", "-d", _SMALL)
        deployment.exec("red2", "mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", _SMALL)
        undo.callback(deployment.exec, "red2", "umount", _SMALL)
        if _MAY_CUT:
            undo.enter_context(cut(deployment.hosts["red2"], deployment.hosts["red3"], port=_PORT))
        yield


def _rows(deployment: Deployment, code: int) -> Rows:
    done = deployment.run("check", "--hosts", "--no-binary")
    assert done.code == code, done.text
    return {(row["machine"], row["subject"]): row for row in done.json["hosts"][0]["rows"]}


@pytest.fixture(scope="module")
def found(faulty: Deployment) -> Rows:
    """What the pre-flight says of the faults."""
    return _rows(faulty, 1)


def test_sound_machines_have_no_row_that_fails(deployment: Deployment) -> None:
    rows = _rows(deployment, 0)
    assert {machine for machine, _ in rows} == set(deployment.hosts)
    for machine in deployment.hosts:
        for subject in ("root", "python", "systemd", "redis-server", "clock", "address", "ports", "network", "folders"):
            assert rows[machine, subject]["state"] == "pass", rows[machine, subject]
        # Three servers and a Sentinel on each of the two others.
        assert rows[machine, "network"]["seen"] == "8 ports elsewhere can be reached, 8 open"
        assert "the host's" in rows[machine, "container"]["seen"]


def test_a_port_that_another_program_has(found: Rows) -> None:
    row = found["red1", f"port of probe-{_PORT}"]
    assert row["state"] == "fail"
    assert row["seen"].startswith(f"0.0.0.0:{_PORT} is held by python3 (pid ")
    assert row["seen"].endswith(f"of {_UNIT}")
    assert row["fix"].startswith(f"end it (systemctl disable --now {_UNIT})")
    assert ("red2", f"port of probe-{_PORT}") not in found


def test_a_small_disk_in_memory(found: Rows) -> None:
    assert found["red2", f"disk {_SMALL}"]["state"] == "fail"
    assert found["red2", f"filesystem {_SMALL}"]["state"] == "fail"
    assert "tmpfs" in found["red2", f"filesystem {_SMALL}"]["seen"]
    assert found["red3", "disk"]["state"] != "fail"


@pytest.mark.skipif(not _MAY_CUT, reason="dropping packets needs root, nsenter and iptables")
def test_a_firewall_between_two_machines(found: Rows, faulty: Deployment) -> None:
    for one, other in (("red2", "red3"), ("red3", "red2")):
        row = found[one, f"network to {other}"]
        assert row["state"] == "fail"
        assert row["seen"] == f"{faulty.hosts[other].address} port {_PORT}: no answer (replication)"
    assert found["red1", "network"]["state"] == "pass"


def test_no_other_row_fails(found: Rows) -> None:
    failing = {place for place, row in found.items() if row["state"] == "fail"}
    made = {("red1", f"port of probe-{_PORT}"), ("red2", f"disk {_SMALL}"), ("red2", f"filesystem {_SMALL}")}
    cuts = {("red2", "network to red3"), ("red3", "network to red2")} if _MAY_CUT else set()
    assert failing == made | cuts
