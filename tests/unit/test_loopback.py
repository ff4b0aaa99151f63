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
