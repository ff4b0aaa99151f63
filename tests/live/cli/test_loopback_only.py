"""A sandbox meets nobody: run in a network namespace whose only way out counts what is sent there."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.harness.done import Done
from tests.harness.live import certificates
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
_TRIED = """
"$0" sandbox up "$1"
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
    "      replica-announce-port: '6379'\n      unixsocket: '/run/redis-{{ name }}/redis.sock'\n"
    "      bind-source-addr: '{{ address }}'\n      syslog-enabled: yes",
    "failover-timeout: 60000": "failover-timeout: 60000\n    announce-ip: '{{ address }}'\n"
    "    notification-script: /opt/scripts/page\n    client-reconfig-script: /opt/scripts/move",
}
_CASES = Path(__file__).with_name("loopback")
_GOLDEN = Path(__file__).parents[2] / "golden" / "descriptions"
# All others come up, or are refused by name; these have to come up.
_COMES_UP = {"announced-inside", "cluster", "cluster-bus", "cpus", "scripts", "socket", "tls", "v6"} | {
    *("moved-files", "open-to-network", "sentinel-overrides", "two-on-a-machine")
}
_BY_NAME = re.compile(r"\.redis\.yml:\d+: [\w.\[\]-]+: .+; .+")
_SOCKET_ALONE = {
    "    master: red1\n": "    master: red1\n    port: 0\n",
    "      appendfsync: everysec\n": "      appendfsync: everysec\n"
    "      unixsocket: '/run/redis-{{ name }}/redis.sock'\n      unixsocketperm: 770\n",
}


def alone(made: Box, *words: object) -> tuple[Done, int]:
    """Run a command in a namespace of its own; return how it ended, and how many packets it sent elsewhere."""
    done = made.run("unshare", "--net", "bash", "-c", _NAMESPACE, "bash", *words)
    assert done.out, done.both
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
        pytest.param("standalone", _SOCKET_ALONE, id="socket-alone", marks=pytest.mark.long),
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


@pytest.mark.long
@pytest.mark.parametrize(
    "case", [*sorted(_CASES.glob("*.redis.yml")), *sorted(_GOLDEN.glob("*.redis.yml"))], ids=lambda each: each.name
)
def test_what_a_description_asks_for_comes_up_inside_or_is_refused_by_name(case: Path) -> None:
    name = case.name.removesuffix(".redis.yml")
    # What is below /tmp a unit would hide, and a socket's path has little room.
    with TemporaryDirectory(dir="/dev/shm") as shown, box(Path(shown) / "box", "standalone", up=False) as made:
        certificates.make(Path(shown))
        _secrets(made.folder)
        text = case.read_text(encoding="utf-8")
        made.file.write_text(text.replace("CERTIFICATES", shown), encoding="utf-8")
        done, packets = alone(made, "bash", "-c", _TRIED, COMMAND, made.file)
    assert packets == 0
    assert (done.code == 0) if name in _COMES_UP else (done.code == 0 or _BY_NAME.search(done.err)), done.both


def _secrets(folder: Path) -> None:
    """Write what golden descriptions look up beside themselves."""
    (folder / ".secrets").mkdir()
    for name in ("orders", "sentinel", "payments", "sessions", "cache"):
        (folder / ".secrets" / name).write_text(f"a-password-of-{name}\n", encoding="utf-8")
