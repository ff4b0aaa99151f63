"""What was found on a machine's own sockets, and what is said where nothing was found."""

from __future__ import annotations

from typing import Any

import pytest

from redis_fleet.agent.messages.client import Check
from redis_fleet.ansible.action.redis_fleet_verify import _found_there
from tests.unit.cases.builder import fleet_of

FOUND = Check("answers", "orders-socket@red1", True, "PONG", "PONG")


def checks(variables: dict[str, Any]) -> list[Check]:
    """Return the checks of a service on a socket, by what its machine registered."""
    service = fleet_of("socket-alone").service("orders")
    assert service.on_socket
    return _found_there(service, service.on_socket, variables)


def test_what_its_machine_found_counts() -> None:
    assert checks({"redis_fleet_on_sockets": {"found": {"orders": [FOUND.to_json()]}}}) == [FOUND]


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "red1: it was not looked at"),
        ({"redis_fleet_on_sockets": {"unreachable": True, "msg": "Connection\nrefused"}}, "red1: Connection refused"),
        ({"redis_fleet_on_sockets": {"found": {"sessions": []}}}, "red1: it was not looked at"),
    ],
)
def test_a_machine_that_was_not_asked_is_a_failure(variables: dict[str, Any], why: str) -> None:
    (check,) = checks(variables)
    assert (check.subject, check.ok, check.seen) == ("orders-socket@red1", False, why)
