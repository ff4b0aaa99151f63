"""The groups that the playbooks' plays run over."""

from __future__ import annotations

from redis_fleet.plan.steps import GROUPS

MACHINES = "redis_fleet"
"""Every machine of the description."""

CHOSEN = ("redis_fleet_drill", "redis_fleet_operation", "redis_fleet_reachable", "redis_fleet_trial")
"""Filled during a run with the machines that something was chosen for."""

DECLARED: tuple[str, ...] = (MACHINES, *CHOSEN, *dict.fromkeys(GROUPS.values()))
"""What an inventory declares: a play over a group that nobody declared makes Ansible warn."""
