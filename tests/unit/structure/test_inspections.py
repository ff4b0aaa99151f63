"""What only looks at a machine goes by a module of its own, which ships nothing that changes one."""

from __future__ import annotations

from typing import Any

import pytest

from redis_fleet.agent.codec import Request
from redis_fleet.agent.inspect.verbs import INSPECTIONS
from redis_fleet.agent.messages.discovery import Discover
from redis_fleet.agent.messages.observation import Observe
from redis_fleet.agent.messages.runs import ShowLock
from redis_fleet.agent.performing import options, perform_among
from redis_fleet.agent.verbs import VERBS
from redis_fleet.ansible.agent import result_of
from tests.unit.structure.test_rooms import imported, room

CHANGING = {"agent.process", "agent.replication", "agent.load_client", "agent.verbs"}


class Action:
    """Stands for an action plugin: notes the module that it was to execute."""

    def _execute_module(self, **given: Any) -> dict[str, Any]:
        return given


def shipped() -> set[str]:
    """Return every module of ours that Ansible sends with the inspecting one: what it may import, at whatever time."""
    found: set[str] = set()
    left = ["redis_fleet.ansible.modules.redis_fleet_inspect"]
    while left:
        new = set(imported(left.pop())) - found
        found |= new
        left += new
    return found


def test_the_inspecting_module_ships_nothing_that_changes_a_machine() -> None:
    assert "redis_fleet.agent.inspect.observe" in shipped()
    assert {room(each) for each in shipped()} & CHANGING == set()
    assert not shipped() & {"redis_fleet.agent.host.put", "redis_fleet.agent.messages.files"}


@pytest.mark.parametrize(
    ("request_", "module"),
    [
        (Observe(), "redis_fleet_inspect"),
        (Discover(), "redis_fleet_inspect"),
        (ShowLock("/run/lock"), "redis_fleet_agent"),
    ],
)
def test_a_request_goes_to_the_smallest_module_that_knows_it(request_: Request[Any], module: str) -> None:
    given = result_of(Action(), request_, {})
    assert (given["module_name"], given["module_args"]["verb"]) == (module, request_.verb)


def test_all_verbs_have_those_that_only_look() -> None:
    assert INSPECTIONS.items() <= VERBS.items()
    assert options(INSPECTIONS)["verb"]["choices"] == ["config-test", "discover", "host-facts", "observe", "reach"]


def test_what_is_no_request_is_a_failure_with_a_code() -> None:
    result = perform_among(INSPECTIONS, "observe", '{"colour": 1}', [], dry=False)
    assert (result["failed"], result["code"]) == (True, "failed")
