"""A sandbox meets nobody: run in a network namespace whose only way out counts what is sent there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.harness.done import Done
from tests.harness.live.sandboxes import COMMAND, Box, box

pytestmark = pytest.mark.skipif(
    bool(os.geteuid()) or not (shutil.which("unshare") and shutil.which("ip")),
    reason="a network namespace needs root, unshare and ip",
)

# Loopback, and a way to all other addresses that ends in a pair of interfaces nobody listens on.
_NAMESPACE = """
set -eu
ip link set lo up
ip link add out0 type veth peer name out1
for each in out0 out1; do
    sysctl -qw net.ipv6.conf.$each.disable_ipv6=1
    ip link set $each up
done
ip addr add 192.0.2.1/24 dev out0
ip route add default dev out0
set +e
"$@" >&2
code=$?
ip -s -j link show out0
exit $code
"""
_LIFE = """
"$0" sandbox up "$1" && "$0" status --sandbox "$1" && "$0" verify --sandbox "$1"
code=$?
"$0" sandbox down "$1" && exit $code
"""
_SENT = """
import socket
with socket.socket() as one:
    one.settimeout(0.2)
    raise SystemExit(one.connect_ex(("10.0.0.11", 6379)) == 0)
"""
_OUTWARD = {
    "appendfsync: everysec": "appendfsync: everysec\n      replica-announce-ip: '{{ address }}'\n"
    "      replica-announce-port: '6379'\n      unixsocket: '/run/redis-{{ name }}/redis.sock'",
    "failover-timeout: 60000": "failover-timeout: 60000\n    announce-ip: '{{ address }}'",
}


def alone(made: Box, *words: object) -> tuple[Done, int]:
    """Run a command in a namespace of its own; return how it ended, and how many packets it sent elsewhere."""
    done = made.run("unshare", "--net", "bash", "-c", _NAMESPACE, "bash", *words)
    return done, json.loads(done.out)[0]["stats64"]["tx"]["packets"]


def test_what_is_sent_elsewhere_is_counted(tmp_path: Path) -> None:
    with box(tmp_path / "box", "standalone", up=False) as made:
        done, packets = alone(made, sys.executable, "-c", _SENT)
    assert done.code == 0, done.both
    assert packets > 0


@pytest.mark.parametrize(
    ("sample", "changes"),
    [
        pytest.param("sentinel", _OUTWARD, id="what-leads-outside"),
        *(pytest.param(each, {}, id=each, marks=pytest.mark.long) for each in ("standalone", "replication")),
        *(pytest.param(each, {}, id=each, marks=pytest.mark.long) for each in ("sentinel", "shared-machines")),
    ],
)
def test_nothing_is_sent_elsewhere(sample: str, changes: dict[str, str], tmp_path: Path) -> None:
    with box(tmp_path / "box", sample, up=False) as made:
        text = made.file.read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        made.file.write_text(text, encoding="utf-8")
        done, packets = alone(made, "bash", "-c", _LIFE, COMMAND, made.file)
    assert done.code == 0, done.both
    assert packets == 0
