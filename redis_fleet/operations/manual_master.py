"""What the machines note of a master that was made one by hand: without Sentinels nobody else knows who it is."""

from __future__ import annotations

from collections.abc import Iterable

from redis_fleet.agent.messages.handover import NoteManualMaster
from redis_fleet.agent.messages.manual_master import ManualMaster
from redis_fleet.model import Fleet
from redis_fleet.topology.state_paths import masters_file


def note(fleet: Fleet, machine: str, service: str, master: str, known: Iterable[ManualMaster]) -> NoteManualMaster:
    """Return the note for a machine that ``master`` (``address:port``) is the master of a service now.

    ``known`` are the notes of that service on all machines that answered; the one with the highest number counts.
    """
    number = 1 + max((each.number for each in known), default=0)
    return NoteManualMaster(masters_file(fleet, machine), service, master, number)
