"""The wheel alone, from an empty folder to three machines over ssh: by command, then by plain Ansible."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from tests.harness.done import Done
from tests.harness.hosts import hosts
from tests.harness.hosts.description import describe, machine_names
from tests.package.installing import Installed, build, checkout, install

_RELEASE = os.environ.get("REDIS_FLEET_IMAGE", "12")
NAME = os.environ.get("REDIS_FLEET_HOSTS", f"wheel-{_RELEASE}")
FILE = "shop.redis.yml"
# Three machines install packages; ten drills fill and break ten sandboxes.
WITHIN = 1200.0


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Give the wheel, installed, and a description in its empty folder that reaches three machines."""
    wheel = build(checkout(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("wheel"), "wheel")
    made = install(wheel, tmp_path_factory.mktemp("installed"))
    assert made.fleet("init", "--topology", "sentinel", FILE).code == 0
    file = made.work / FILE
    try:
        describe(file, file, hosts.up(NAME, machine_names(file.read_text(encoding="utf-8")), _RELEASE))
        yield made
    finally:
        hosts.down(NAME)


def _succeeded(done: Done) -> Done:
    assert done.code == 0, done.both
    assert "Traceback" not in done.both
    return done


def _play(installed: Installed, playbook: str, words: str = "") -> Done:
    """Run one of our playbooks by the user's own ansible-playbook."""
    script = f'ansible-playbook -i {FILE} "$REDIS_FLEET_PLAYBOOKS/{playbook}.yml" {words}'
    return _succeeded(installed.shell(f'eval "$(redis-fleet ansible-env)"; {script}', within=WITHIN))


def _changed(done: Done) -> set[str]:
    return set(re.findall(r"^red\d .* changed=(\d+) .* unreachable=0 .* failed=0 ", done.out, re.MULTILINE))


def test_every_drill(installed: Installed) -> None:
    told = _succeeded(installed.fleet("drill", "all", "--json", within=WITHIN)).json()["drills"]
    assert [drill["name"] for drill in told if not drill["ok"] or drill["skipped"]] == []


def test_a_first_deployment_and_what_it_proves(installed: Installed) -> None:
    _succeeded(installed.fleet("deploy", "--yes", FILE, within=WITHIN))
    _succeeded(installed.fleet("verify", FILE))
    done = _succeeded(installed.fleet("plan", FILE))
    assert done.out.splitlines()[-1] == "nothing to do"


def test_plain_ansible_finds_nothing_to_do(installed: Installed) -> None:
    done = _play(installed, "deploy")
    assert _changed(done) == {"0"}, done.both


def test_a_failover_by_plain_ansible(installed: Installed) -> None:
    _play(installed, "drill-failover", "-e redis_fleet_service=orders")
    done = _play(installed, "deploy")
    assert _changed(done) == {"0"}, done.both
