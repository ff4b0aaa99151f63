"""A deployment on machines with systemd that speaks TLS alone: it is verified, handed over, and crashes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.hosts.clients import calm, master
from tests.harness.hosts.deployment import Deployment, deployed
from tests.harness.hosts.waiting import eventually

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
NAME = os.environ.get("REDIS_FLEET_HOSTS", f"tls-{_RELEASE}")
MACHINES = ["red1", "red2", "red3"]
PLAIN = Path(__file__).with_name("handover.redis.yml")
UNIT = "redis-orders-6379"
FILES = "/etc/redis/orders-6379/tls"


@pytest.fixture(scope="module", name="encrypted")
def fixture_encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deploy it to three machines."""
    folder = tmp_path_factory.mktemp("tls")
    file = folder / "tls.redis.yml"
    file.write_text(
        PLAIN.read_text(encoding="utf-8").replace("services:", "tls: require\nservices:", 1), encoding="utf-8"
    )
    with deployed(NAME, file, folder / "deployment", MACHINES, _RELEASE) as deployment:
        yield deployment


def test_only_the_service_reads_a_key(encrypted: Deployment) -> None:
    for machine in MACHINES:
        said = encrypted.exec(machine, "stat", "-c", "%U %a", FILES, f"{FILES}/key.pem", f"{FILES}/certificate.pem")
        assert said.split() == ["redis", "750", "redis", "640", "redis", "644"]


def test_all_is_well_and_the_role_is_handed_over(encrypted: Deployment) -> None:
    calm(encrypted)
    assert encrypted.run("verify").code == 0
    done = encrypted.run("switchover", "orders", "--yes")
    assert done.code == 0, done.text
    assert encrypted.deploy().changed == 0


def test_a_master_that_crashes_is_replaced_at_once(encrypted: Deployment) -> None:
    old = calm(encrypted)
    encrypted.exec(old, "sh", "-c", f"kill -9 $(systemctl show -p MainPID --value {UNIT})")
    eventually(lambda: master(encrypted) not in ("", old), "another one is the master")
    calm(encrypted)
    said = encrypted.exec(old, "journalctl", "--unit", f"{UNIT}*", "--output", "cat", "--no-pager", "--lines", "60")
    assert f"is the master in the place of orders-6379@{old}" in said
    assert encrypted.deploy().changed == 0
