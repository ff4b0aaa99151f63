"""The ports that a sandbox notes: one for each place, and none of another sandbox of the same user."""

from __future__ import annotations

from pathlib import Path

import pytest

from redis_fleet import loopback
from redis_fleet.sandbox import state

_THREE = ["red1:6379", "red2:6379", "red3:6379"]


@pytest.fixture(autouse=True)
def six_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the whole machine six ports, so that what takes a wrong one is seen."""
    told = tmp_path / "ip_local_port_range"
    told.write_text("10006 65535\n")
    monkeypatch.setattr(loopback, "_RANGE_OF_CONNECTIONS", told)
    monkeypatch.delenv(loopback.PORTS, raising=False)


def test_two_sandboxes_whose_processes_are_down_share_no_port(tmp_path: Path) -> None:
    above = tmp_path / "redis-fleet-0"
    first, second = state.create(above / "a", _THREE, "redis-server"), state.create(above / "b", _THREE, "redis-server")
    assert sorted([*first.values(), *second.values()]) == list(range(10000, 10006))


def test_a_description_that_grew_gets_ports_of_nobody(tmp_path: Path) -> None:
    above = tmp_path / "redis-fleet-0"
    first = state.create(above / "a", _THREE, "redis-server")
    other = state.create(above / "b", _THREE[:2], "redis-server")
    state.grow(above / "a", [*_THREE, "red4:6379"])
    grown = state.read(above / "a")["ports"]
    assert {place: grown[place] for place in _THREE} == first
    assert grown["red4:6379"] not in {*first.values(), *other.values()}


def test_a_sandbox_that_is_half_taken_away_holds_no_ports(tmp_path: Path) -> None:
    above = tmp_path / "redis-fleet-0"
    state.create(above / "a", _THREE, "redis-server")
    (above / "a" / "sandbox.json").write_text("")
    assert len(state.create(above / "b", [f"red{each}:6379" for each in range(6)], "redis-server")) == 6
