"""Free ports: none that an outgoing connection may get before its server has started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from redis_fleet import loopback


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file in which the kernel says what connections get; it can be written."""
    told = tmp_path / "ip_local_port_range"
    monkeypatch.setattr(loopback, "_RANGE_OF_CONNECTIONS", told)
    monkeypatch.delenv(loopback.PORTS, raising=False)
    return told


@pytest.mark.parametrize(
    ("told", "lowest", "highest"),
    [
        ("32768\t60999\n", 10000, 32767),
        ("1024\t30000\n", 30001, 65535),
        ("1024\t65535\n", 10000, 65535),
        ("", 10000, 32767),
    ],
    ids=["as-linux-has-it", "connections-get-the-low-ones", "connections-get-all", "not-told"],
)
def test_no_connection_gets_them(kernel: Path, told: str, lowest: int, highest: int) -> None:
    kernel.write_text(told)
    found = loopback.free_ports(300)
    assert len(set(found)) == 300
    assert lowest <= min(found)
    assert max(found) <= highest


def test_a_port_in_use_or_taken_is_not_free(kernel: Path) -> None:
    kernel.write_text("10003 65535\n")
    with socket.socket() as user:
        user.bind(("127.0.0.1", 10001))
        assert loopback.free_ports(1, {10000}) == [10002]
        with pytest.raises(OSError, match="only 1 are free"):
            loopback.free_ports(2, {10000})


def test_whoever_names_ports_gets_those(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.write_text("32768 60999")
    monkeypatch.setenv(loopback.PORTS, "20000-20002")
    assert sorted(loopback.free_ports(3)) == [20000, 20001, 20002]


@pytest.mark.parametrize("named", ["20000", "20002-20000", "0-5", "1-70000", "a-b"])
def test_what_is_no_range_of_ports_is_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(loopback.PORTS, named)
    with pytest.raises(OSError, match="not two ports such as"):
        loopback.free_ports(1)
