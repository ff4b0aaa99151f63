"""How the tests reach the hosts: testinfra over SSH, and redis-cli on the host for what Redis itself says."""

from __future__ import annotations

import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import testinfra  # type: ignore[import-untyped]
from testinfra.host import Host  # type: ignore[import-untyped]

from tests.molecule.expected import Machine, Process


@cache
def host(machine: Machine) -> Host:
    """Return testinfra's view of a machine, as root by sudo; all commands share one connection."""
    reach = machine.variables
    return testinfra.get_host(
        f"ssh://{reach['ansible_user']}@{reach['ansible_host']}:{reach['ansible_port']}",
        sudo=True,
        controlpersist=30,
        controlpath=_shared(machine),
        ssh_identity_file=reach["ansible_ssh_private_key_file"],
        ssh_extra_args=reach["ansible_ssh_common_args"],
    )


def _shared(machine: Machine) -> str:
    """Return the socket of a machine's shared connection: where Ansible has its own, private and of a short name."""
    folder = Path.home() / ".ansible" / "cp"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder / f"test-{machine.variables['ansible_host']}-{machine.variables['ansible_port']}")


def with_input(machine: Machine, command: str, text: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the unprivileged user with ``text`` on its standard input: the way for a password."""
    reach = machine.variables
    where = ["-p", reach["ansible_port"], f"{reach['ansible_user']}@{reach['ansible_host']}"]
    options = [
        "-o",
        "BatchMode=yes",
        "-o",
        f"ControlPath={_shared(machine)}",
        "-i",
        reach["ansible_ssh_private_key_file"],
    ]
    return subprocess.run(
        ["ssh", *shlex.split(reach["ansible_ssh_common_args"]), *options, *where, command],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def ask(process: Process, *words: str) -> list[str]:
    """Send a command with the password, and return the reply's lines."""
    cli = ["redis-cli", "-h", process.machine.address, "-p", str(process.port), *words]
    # read fails at the end of the input, which an empty password reaches at once: that is no error here.
    command = f'read -r REDISCLI_AUTH || :; [ -z "$REDISCLI_AUTH" ] || export REDISCLI_AUTH; {shlex.join(cli)}'
    done = with_input(process.machine, command, f"{process.password}\n")
    assert done.returncode == 0, f"{process.id}: {shlex.join(words)}: {done.stderr or done.stdout}"
    return done.stdout.splitlines()


def ask_pairs(process: Process, *words: str) -> dict[str, str]:
    """Send a command whose reply is names and values in turn."""
    lines = ask(process, *words)
    return dict(zip(lines[::2], lines[1::2], strict=False))


def properties(process: Process, *names: str) -> dict[str, str]:
    """Return properties of the process's unit as systemd holds them."""
    shown: Any = host(process.machine).check_output("systemctl show %s --property %s", process.unit, ",".join(names))
    return dict(line.split("=", 1) for line in shown.splitlines())
