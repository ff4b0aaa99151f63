"""What a first deployment put on a machine is byte for byte what ``redis-fleet render`` writes for it."""

from __future__ import annotations

from redis_fleet.agent.host.digest import sha256
from redis_fleet.loading import load_fleet
from redis_fleet.render.files import machine_files
from tests.molecule.expected import Expected, Machine
from tests.molecule.remote import host


def test_files_are_the_rendered_ones(machine: Machine, expected: Expected) -> None:
    rendered = {
        file.path: sha256(file.content)
        for file in machine_files(load_fleet(str(expected.file)), machine.name)
        # The kernel of a container is its host's, and Sentinel writes to its own file as soon as it learns something.
        if file.purpose != "kernel" and not file.path.endswith("sentinel.conf")
    }
    assert rendered
    said = host(machine).check_output(f"sha256sum {' '.join(rendered)}")
    found = {path: digest for digest, path in (line.split(maxsplit=1) for line in said.splitlines())}
    assert found == rendered
