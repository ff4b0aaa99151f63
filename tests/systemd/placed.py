"""What somebody puts on a machine before a description names it: a module, and scripts that Sentinel calls."""

from __future__ import annotations

import base64
import shlex
import subprocess
from pathlib import Path

from tests.harness.hosts import hosts
from tests.harness.hosts.hosts import Host

# It starts other programs, and writes to the folder that it is started in: Sentinel's own. sed asks for the owner that
# the file has, which is not allowed, and goes on.
_NOTIFY = """#!/bin/sh
set -e
printf '%s %s\\n' "$*" "$(id -un)" >told.$$
sed -i 's/^/told of /' told.$$
cat told.$$ >>notified && rm told.$$
"""
# Asks the new master over the network; what Sentinel says: name, role, state, old address and port, new ones.
_MOVED = """#!/usr/bin/env python3
import socket, sys
name, role, state, _, _, address, port = sys.argv[1:]
with socket.create_connection((address, int(port)), 5) as link:
    link.sendall(b"PING\\r\\n")
    answer = link.recv(64).decode().split()[0]
with open("moved", "a") as proof:
    print(name, role, state, f"{address}:{port}", answer, file=proof)
"""
SCRIPTS = {"/opt/scripts/notify": _NOTIFY, "/usr/local/bin/moved": _MOVED}
MODULES = ("/opt/modules/hello.so", "/opt/hello.so")


def place(machines: dict[str, Host], folder: Path) -> None:
    """Put modules and scripts on every machine, for everybody to execute; the module is made in ``folder``."""
    source, module = Path(__file__).with_name("hello.c"), folder / "hello.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-nostdlib", "-O1", "-o", str(module), str(source)], check=True)
    files = dict.fromkeys(MODULES, module.read_bytes()) | {path: text.encode() for path, text in SCRIPTS.items()}
    for machine in machines.values():
        for path, content in files.items():
            _put(machine, path, content)


def _put(machine: Host, path: str, content: bytes) -> None:
    text, where = base64.b64encode(content).decode(), shlex.quote(path)
    command = f"sudo mkdir -p $(dirname {where}) && echo {text} | base64 -d | sudo install -m 755 /dev/stdin {where}"
    done = hosts.ssh(machine, command)
    assert done.returncode == 0, done.stderr
