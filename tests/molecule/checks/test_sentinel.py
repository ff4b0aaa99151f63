"""The Sentinels agree: each knows the master, all replicas, all other Sentinels, and could elect."""

from __future__ import annotations

import pytest

from tests.molecule.expected import Expected, Process
from tests.molecule.remote import ask, ask_pairs

_AGREED = ("ip", "port", "flags", "num-slaves", "num-other-sentinels", "quorum")
_TIMINGS = ("down-after-milliseconds", "failover-timeout", "parallel-syncs")


@pytest.fixture
def watched(expected: Expected) -> list[str]:
    """The names of the services that are watched."""
    return [service.name for service in expected.services if service.watched]


def test_quorum_can_be_reached(sentinel: Process, watched: list[str]) -> None:
    for name in watched:
        assert ask(sentinel, "SENTINEL", "CKQUORUM", name)[0].startswith("OK ")


def test_knows_everybody(sentinel: Process, expected: Expected) -> None:
    for service in expected.services:
        if not service.watched:
            continue
        seen = ask_pairs(sentinel, "SENTINEL", "MASTER", service.name)
        master = service.servers[0]
        assert {name: seen[name] for name in _AGREED} == {
            "ip": master.machine.address,
            "port": str(master.port),
            "flags": "master",
            "num-slaves": str(len(service.servers) - 1),
            "num-other-sentinels": str(len(expected.sentinels) - 1),
            "quorum": str(service.quorum),
        }


def test_has_the_described_timings(sentinel: Process, expected: Expected) -> None:
    for service in expected.services:
        described = {name: value for name, value in service.timings.items() if name in _TIMINGS}
        if service.watched and described:
            seen = ask_pairs(sentinel, "SENTINEL", "MASTER", service.name)
            assert {name: seen[name] for name in described} == described


def test_watches_nothing_else(sentinel: Process, watched: list[str]) -> None:
    seen = ask(sentinel, "INFO", "sentinel")
    assert {line.split("name=")[1].split(",")[0] for line in seen if line.startswith("master")} == set(watched)
