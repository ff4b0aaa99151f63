"""Several services on the same machines share nothing: files, data, keys or durability."""

from __future__ import annotations

from tests.molecule.expected import Expected, Machine
from tests.molecule.remote import ask, properties


def test_machine_carries_several_services(machine: Machine, expected: Expected) -> None:
    servers = [server for service in expected.services for server in service.servers]
    assert len({server.service for server in servers if server.machine == machine}) > 1


def test_processes_of_a_machine_are_separate(machine: Machine, expected: Expected) -> None:
    here = [process for process in expected.processes if process.machine == machine]
    assert len({properties(process, "MainPID")["MainPID"] for process in here}) == len(here)
    servers = [process for process in here if process.kind == "server"]
    folders = {tuple(ask(server, "CONFIG", "GET", "dir")) for server in servers}
    assert folders == {("dir", server.data) for server in servers}


def test_a_key_of_one_service_is_unknown_to_the_others(expected: Expected) -> None:
    first, *others = [service.servers[0] for service in expected.services]
    ask(first, "SET", "isolation-test", first.id, "EX", "60")
    assert [ask(other, "EXISTS", "isolation-test") for other in others] == [["0"]] * len(others)
    ask(first, "DEL", "isolation-test")
