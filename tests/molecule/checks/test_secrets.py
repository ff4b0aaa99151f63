"""A password is in the configuration files of its processes and nowhere else on a machine."""

from __future__ import annotations

from tests.molecule.expected import Expected, Machine
from tests.molecule.remote import host, with_input

_EVERYWHERE = "/etc /home /root /run /tmp /usr/local /var"


def _betrayed(expected: Expected, text: str) -> list[str]:
    """Return whose passwords are in a text: a failing test must not print the passwords themselves."""
    return [process.id for process in expected.processes if process.password and process.password in text]


def test_no_password_on_a_command_line(machine: Machine, expected: Expected) -> None:
    lines = host(machine).check_output("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    betrayed = _betrayed(expected, lines)
    assert betrayed == []


def test_no_password_in_the_journal(machine: Machine, expected: Expected) -> None:
    said = host(machine).check_output("journalctl --no-pager --all --output cat")
    betrayed = _betrayed(expected, said)
    assert betrayed == []


def test_no_password_in_any_other_file(machine: Machine, expected: Expected) -> None:
    patterns = "".join(f"{password}\n" for password in expected.passwords)
    command = f"sudo grep --recursive --files-with-matches --fixed-strings --devices=skip --file=- {_EVERYWHERE}"
    found = set(with_input(machine, command, patterns).stdout.splitlines())
    allowed = {process.configuration for process in expected.processes if process.machine == machine}
    assert found, "grep did not even find the configuration files"
    assert found <= allowed
