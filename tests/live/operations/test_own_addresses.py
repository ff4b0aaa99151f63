"""Host names, and a NAT with ports of its own, on real servers that have the machines' addresses in a namespace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from redis_fleet.project import ROOT

pytestmark = pytest.mark.skipif(
    bool(os.geteuid()) or not (shutil.which("unshare") and shutil.which("ip")),
    reason="namespaces need root, unshare and ip",
)

_INSIDE = """
set -eu
ip link set lo up
for each in 11 12 13; do
    ip addr add 10.0.0.$each/32 dev lo
    ip addr add 203.0.113.$each/32 dev lo
done
mount --bind "$0" /etc/hosts
exec "$@"
"""
_HOSTS = """
127.0.0.1 localhost
10.0.0.11 red1.example.com
10.0.0.12 red2.example.com
10.0.0.13 red3.example.com
"""
_DESCRIPTION = """
plugin: redis_fleet
name: shop
machines:
  red1: {address: ADDRESS1, vars: {outer: 203.0.113.11}}
  red2: {address: ADDRESS2, vars: {outer: 203.0.113.12}}
  red3: {address: ADDRESS3, vars: {outer: 203.0.113.13}}
services:
  orders:
    master: red1
    replicas: [red2, red3]
    bind: "{{ address }}"
    password: a-password-that-nobody-guesses
    config:
      maxmemory: 64mb
      repl-diskless-sync-delay: 0
      SERVERS
sentinel:
  machines: [red1, red2, red3]
  bind: "{{ address }}"
  password: another-password-that-nobody-guesses
  config:
    down-after-milliseconds: 2000
    failover-timeout: 10000
    SENTINELS
"""
_NAMED = "resolve-hostnames: yes\n    announce-hostnames: yes"
_OUTER = 'replica-announce-ip: "{{ outer }}"\n      replica-announce-port: "{{ 16000 + outer.split(\'.\')[3] | int }}"'


def _lives(folder: Path, addresses: tuple[str, ...], servers: str, sentinels: str) -> None:
    text = _DESCRIPTION.replace("SERVERS", servers).replace("SENTINELS", sentinels)
    for number, address in enumerate(addresses, start=1):
        text = text.replace(f"ADDRESS{number}", address)
    file, hosts = folder / "shop.redis.yml", folder / "hosts"
    file.write_text(text, encoding="utf-8")
    hosts.write_text(_HOSTS, encoding="utf-8")
    command = [sys.executable, "-m", "tests.harness.live.own_addresses", str(file), str(folder / "run")]
    inside = [
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "bash",
        "-c",
        _INSIDE,
        str(hosts),
    ]
    done = subprocess.run([*inside, *command], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["deployed", "switched over", "failed over"]


def test_machines_are_known_by_their_names(tmp_path: Path) -> None:
    names = ("red1.example.com", "red2.example.com", "red3.example.com")
    _lives(tmp_path, names, "loglevel: notice", _NAMED)


@pytest.mark.long
def test_a_machine_has_a_name_and_others_have_none(tmp_path: Path) -> None:
    # Here a connection comes from the address that it goes to, where a machine's would come from its own.
    own = 'announce-ip: "{{ address }}"'
    _lives(tmp_path, ("red1.example.com", "10.0.0.12", "10.0.0.13"), f"replica-{own}", f"{own}\n    {_NAMED}")


def test_others_come_by_another_address_and_port(tmp_path: Path) -> None:
    addresses = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
    _lives(tmp_path, addresses, _OUTER, 'announce-ip: "{{ outer }}"\n    announce-port: 36379')


@pytest.mark.long
def test_a_name_is_announced_of_a_machine_that_has_an_address(tmp_path: Path) -> None:
    names = "{{ machine }}.example.com"
    addresses = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
    _lives(tmp_path, addresses, f'replica-announce-ip: "{names}"', f'announce-ip: "{names}"\n    {_NAMED}')
