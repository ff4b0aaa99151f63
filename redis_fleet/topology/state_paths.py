"""Where a deployment's lock, journal and notes are on a machine."""

from __future__ import annotations

from redis_fleet.model import Fleet


def state_folder(fleet: Fleet, machine: str) -> str:
    """Return the folder of a deployment on one machine; it outlives a reboot."""
    if fleet.sandbox:
        return f"{fleet.sandbox.root}/{machine}/.redis-fleet"
    return f"/var/lib/redis-fleet/{fleet.name}"


def lock_file(fleet: Fleet, machine: str) -> str:
    """Return the path of the lock; below /run, since whoever held it does not after a reboot of the machine."""
    return f"{state_folder(fleet, machine)}/lock" if fleet.sandbox else f"/run/redis-fleet/{fleet.name}.lock"


def masters_file(fleet: Fleet, machine: str) -> str:
    """Return the path of the notes on who was made the master by hand."""
    return f"{state_folder(fleet, machine)}/masters.json"


def journal_file(fleet: Fleet, machine: str) -> str:
    """Return the path of the journal."""
    if fleet.sandbox:
        return f"{state_folder(fleet, machine)}/journal.jsonl"
    return f"/var/log/redis-fleet/{fleet.name}.jsonl"
