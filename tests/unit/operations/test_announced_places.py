"""Which machines have to reach an announced address, and what is said where one does not."""

from __future__ import annotations

from typing import Any

from redis_fleet.operations.announced_places import announced_checks, announced_places
from tests.unit.cases.builder import fleet_of

FLEET = fleet_of("announced")
ALL = {str(place): "open" for place in announced_places(FLEET)}


def said(answers: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong, by process."""
    checks = announced_checks(FLEET, FLEET.service("orders"), answers)
    return {each.subject: each.seen for each in checks if not each.ok}


def test_every_process_that_announces_is_tried_by_every_machine() -> None:
    everybody = {name: {"reached": ALL} for name in FLEET.machines}
    assert len(list(announced_checks(FLEET, FLEET.service("orders"), everybody))) == len(ALL) == 6
    assert said(everybody) == {}


def test_one_machine_that_does_not_get_through_is_named() -> None:
    answers = {name: {"reached": ALL} for name in FLEET.machines}
    answers["red2"] = {"reached": {**ALL, "203.0.113.11:16011": "no answer"}}
    assert said(answers) == {"orders-6379@red1": "203.0.113.11:16011 from red2: no answer"}


def test_a_machine_that_was_not_asked_is_no_proof() -> None:
    answers = {"red1": {"reached": ALL}, "red2": {"error": "no route to host"}}
    assert said(answers)["orders-6379@red1"] == (
        "203.0.113.11:16011 from red2: no route to host; 203.0.113.11:16011 from red3: was not asked"
    )


def test_who_announces_nothing_else_is_not_checked() -> None:
    fleet = fleet_of("sentinel")
    assert announced_places(fleet) == ()
    assert list(announced_checks(fleet, fleet.service("orders"), {})) == []
