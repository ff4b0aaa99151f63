"""The note of a master that was made one by hand."""

from __future__ import annotations

import pytest

from redis_fleet.agent.messages.manual_master import ManualMaster
from redis_fleet.operations.manual_master import note
from redis_fleet.topology.state_paths import masters_file
from tests.unit.cases.builder import fleet_of


@pytest.mark.parametrize(("known", "number"), [((), 1), ((4,), 5), ((2, 7, 3), 8)])
def test_a_note_has_the_number_after_the_highest_that_any_machine_knows(known: tuple[int, ...], number: int) -> None:
    fleet = fleet_of("replication")
    made = note(fleet, "red2", "orders", "10.0.0.13:6379", [ManualMaster("10.0.0.11:6379", each) for each in known])

    assert (made.service, made.master, made.number) == ("orders", "10.0.0.13:6379", number)
    assert made.path == masters_file(fleet, "red2")
