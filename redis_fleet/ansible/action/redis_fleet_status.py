"""Turn what was seen into one row a process, and what is wrong although they run; contacts nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.plugins.action import ActionBase

from redis_fleet.agent.replication.health import Trouble
from redis_fleet.ansible.documented import arguments
from redis_fleet.ansible.fleets import fleet_of
from redis_fleet.ansible.observations import observations
from redis_fleet.observe.facts import observed
from redis_fleet.observe.status import rows
from redis_fleet.plan.health import concerns, everything_wrong

DOCUMENTATION = """
module: redis_fleet_status
short_description: Turn what was observed into one row a process, and say what is wrong
description:
  - Contacts nothing. It needs redis_fleet_observed.
options:
  services:
    description: The names of the services, all of them when empty.
    type: list
    elements: str
    default: []
  verified:
    description: What redis_fleet_verify returned; then it fails when a check did, or anything is wrong.
    type: dict
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """For ``status``."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the rows and the troubles."""
        super().run(tmp, task_vars)
        given = arguments(self, DOCUMENTATION)
        fleet = fleet_of(task_vars)
        seen = observed(observations(fleet, task_vars["hostvars"]))
        services = given["services"] or [service.name for service in fleet.services]
        found = everything_wrong(fleet, seen, time.time())
        wrong = [each for each in found if concerns(fleet, services, each)]
        result = {"changed": False, "status": rows(fleet, seen), "troubles": [asdict(each) for each in wrong]}
        return result if given["verified"] is None else {**result, **_judged(given["verified"], wrong)}


def _judged(verified: Mapping[str, Any], wrong: Sequence[Trouble]) -> dict[str, Any]:
    """Return how a verification went: badly when a check failed, when there are none, and when anything is wrong."""
    checks = verified.get("checks")
    if not checks:
        return {"failed": True, "msg": verified.get("msg", "nothing was verified")}
    bad = [f"{each['subject']}: {each['check']}: {each['seen']}" for each in checks if not each["ok"]]
    told = {(code, each["subject"]) for each in checks for code in each["codes"]}
    bad += [str(each) for each in wrong if (each.code, each.subject) not in told]
    return {"failed": True, "msg": "\n".join(bad)} if bad else {"msg": f"{len(checks)} checks, all ok"}
