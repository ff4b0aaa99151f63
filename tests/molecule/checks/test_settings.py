"""What runs has the values of the description, and so has the file that the next start reads."""

from __future__ import annotations

from tests.molecule.expected import Process
from tests.molecule.remote import ask, ask_pairs


def test_running_values_are_the_described_ones(server: Process) -> None:
    running = {name: ask_pairs(server, "CONFIG", "GET", name).get(name, "unknown") for name in server.settings}
    assert {name: " ".join(value.split()) for name, value in running.items()} == dict(server.settings)


def test_protected_mode_is_on(server: Process) -> None:
    assert ask_pairs(server, "CONFIG", "GET", "protected-mode") == {"protected-mode": "yes"}


def test_knows_its_configuration_file(process: Process) -> None:
    info = [line for line in ask(process, "INFO", "server") if line.startswith("config_file:")]
    assert info == [f"config_file:{process.configuration}"]
