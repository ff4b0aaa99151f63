"""Read all tables once, so that processes that are forked from this one need not; see errand.py."""

from __future__ import annotations

from redis_fleet.agent.verbs import perform
from redis_fleet.loading import load_fleet
from redis_fleet.observe.facts import observed
from redis_fleet.observe.request import request
from redis_fleet.plan.planner import plan
from redis_fleet.project import SAMPLES
from redis_fleet.topology.service_access import described
from tests.lives import errand

_FLEET = load_fleet(str(SAMPLES / "sentinel.redis.yml"))
for _machine in _FLEET.machines:
    request(_FLEET, _machine)
described(_FLEET, _FLEET.services[0])
plan(_FLEET, observed({}))
WARM = (perform, errand)
