"""The groups that the playbooks' plays run over, and which play does which stage of a plan."""

from __future__ import annotations

from collections.abc import Mapping

from redis_fleet.description.outer import GROUP
from redis_fleet.plan.plan import Plan
from redis_fleet.plan.steps import Stage

MACHINES = GROUP
"""Every machine of the description."""

ON_SOCKETS = "redis_fleet_sockets"
"""The machines with servers that listen on a socket alone: nobody else reaches these."""

CHOSEN = ("redis_fleet_drill", "redis_fleet_operation", "redis_fleet_reachable", "redis_fleet_trial")
"""Filled during a run with the machines that something was chosen for."""

# All files are written before the first Sentinel starts, and a replica waits for its master by itself: so writing and
# starting servers is one round trip.
GROUPS: Mapping[Stage, str] = {
    "prepare": "redis_fleet_prepare",
    "password_add": "redis_fleet_password_add",
    "write": "redis_fleet_start_servers",
    "start_masters": "redis_fleet_start_servers",
    "start_replicas": "redis_fleet_start_servers",
    "start_sentinels": "redis_fleet_start_sentinels",
    "live_replicas": "redis_fleet_live_replicas",
    "live_masters": "redis_fleet_live_masters",
    "password_use": "redis_fleet_password_use",
    "reconnect": "redis_fleet_reconnect",
    "password_end": "redis_fleet_password_end",
    "user_end": "redis_fleet_user_end",
    "watch": "redis_fleet_watch",
    "roll": "redis_fleet_roll",
    "settle": "redis_fleet_confirm",
}
"""Which play does a stage, by the group that it runs over."""

DECLARED: tuple[str, ...] = (MACHINES, ON_SOCKETS, *CHOSEN, *dict.fromkeys(GROUPS.values()))
"""What an inventory declares: a play over a group that nobody declared makes Ansible warn."""

MEANINGS: Mapping[str, str] = {
    "redis_fleet": "all of the description",
    "redis_fleet_sockets": "with servers that listen on a socket alone",
    "redis_fleet_trial": "on which files are tried",
    "redis_fleet_prepare": "that lack packages, masks or kernel settings",
    "redis_fleet_password_add": "with users or a password that change: the new one is taken beside the old one",
    "redis_fleet_password_use": "with a password that changes: the new one is used",
    "redis_fleet_password_end": "with a password that changes: the old one goes",
    "redis_fleet_reconnect": "with replicas or Sentinels that log in as another user now",
    "redis_fleet_user_end": "with users that are not let in any more, or not as before",
    "redis_fleet_start_servers": "with servers to start, or any files to write",
    "redis_fleet_start_sentinels": "with Sentinels to start",
    "redis_fleet_live_replicas": "with replicas that are changed while they run",
    "redis_fleet_live_masters": "with masters that are changed while they run",
    "redis_fleet_watch": "with Sentinels that are told something",
    "redis_fleet_roll": "with steps that are done one after the other",
    "redis_fleet_confirm": "all, where anything is done",
    "redis_fleet_drill": "the one whose master a drill kills",
    "redis_fleet_operation": "the one that an operation works from: it has the process to repair, say",
    "redis_fleet_reachable": "that answered",
}
"""Which machines a group has, in words."""


def groups(plan: Plan) -> list[dict[str, str]]:
    """Return which machine takes part in which play, once each, as ``machine`` and ``group``."""
    pairs = dict.fromkeys((step.machine, GROUPS[step.stage]) for step in plan.steps)
    found = [{"machine": machine, "group": group} for machine, group in pairs]
    # A change on one machine is confirmed on all: its replicas and Sentinels are elsewhere.
    confirm = [{"machine": name, "group": GROUPS["settle"]} for name in plan.machines if found]
    return [each for each in found if each not in confirm] + confirm
