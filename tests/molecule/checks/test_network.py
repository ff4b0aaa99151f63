"""Ports are open where the description says, to those who know the password."""

from __future__ import annotations

from tests.molecule.expected import Process
from tests.molecule.remote import host, with_input


def test_listens_only_where_described(process: Process) -> None:
    shown = host(process.machine).check_output("ss -H -l -t -n %s", f"sport = :{process.port}")
    addresses = {line.split()[3].rpartition(":")[0] for line in shown.splitlines()}
    assert addresses == process.listens


def test_nobody_gets_in_without_the_password(process: Process) -> None:
    command = f"redis-cli -h {process.machine.address} -p {process.port} PING"
    answer = with_input(process.machine, command, "").stdout
    assert answer.startswith("NOAUTH" if process.password else "PONG")
