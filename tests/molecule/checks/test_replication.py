"""Right after the first deployment the described machine is the master, and all others follow it."""

from __future__ import annotations

from tests.molecule.expected import Service
from tests.molecule.remote import ask


def test_described_master_has_all_replicas(service: Service) -> None:
    master, *replicas = service.servers
    role, _offset, *rest = ask(master, "ROLE")
    assert role == "master"
    assert {(address, port) for address, port in zip(rest[::3], rest[1::3], strict=False)} == {
        (replica.machine.address, str(replica.port)) for replica in replicas
    }


def test_every_replica_is_connected_to_it(service: Service) -> None:
    master, *replicas = service.servers
    for replica in replicas:
        role, address, port, link, *_ = ask(replica, "ROLE")
        assert (role, address, port, link) == ("slave", master.machine.address, str(master.port), "connected")
