"""Where redis-fleet keeps what it must remember on a machine."""

from __future__ import annotations

from redis_fleet.model import Fleet


def state_folder(fleet: Fleet, machine: str) -> str:
    """Return the folder of a deployment on one machine; it outlives a reboot."""
    if fleet.sandbox:
        return f"{fleet.sandbox.root}/{machine}/.redis-fleet"
    return f"/var/lib/redis-fleet/{fleet.name}"
