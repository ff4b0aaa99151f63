"""Servers and Sentinels as a sandbox has them: daemons with a folder, a pid file and a log of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis_fleet.agent.access import Access
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.proc import running_pid
from redis_fleet.agent.login import connect
from redis_fleet.agent.messages.kind import SENTINEL, SERVER
from redis_fleet.agent.messages.process import ManagedProcess
from redis_fleet.agent.process.start import spawn
from redis_fleet.agent.protocol.resp import Reply, ReplyError, info, pairs
from redis_fleet.agent.secret import Secret
from redis_fleet.loopback import free_ports
from tests.harness.live.processes import eventually, server_binary

Request = dict[str, Any]
PASSWORD = "Sand-Castle_7"
MONITOR = "orders"


def managed(request: Request) -> ManagedProcess:
    """Return one of these processes as a machine is told of it."""
    secret = Secret(request["password"]) if request["password"] else None
    return ManagedProcess(
        request["name"],
        SENTINEL if request["kind"] == "sentinel" else SERVER,
        Access(Endpoint(request["address"], request["port"]), secret, request.get("user", "")),
        request.get("configuration", ""),
        data=request.get("data", ""),
        log=request.get("log", ""),
        pid=request.get("pid", ""),
    )


@dataclass
class Daemons:
    """What runs below one folder; each is a process request, as the code on a machine gets it."""

    folder: Path
    processes: dict[str, Request] = field(default_factory=dict)

    def server(self, *lines: str, password: str = PASSWORD, follows: Request | None = None, user: str = "") -> Request:
        """Write a server's file and start it; as a replica both ends call it linked when this returns.

        The password is a ``user``'s, whom ``lines`` describe, or the default user's.
        """
        words = [f"requirepass {password}", f"masterauth {password}"] if password and not user else []
        words += [f"replicaof {follows['address']} {follows['port']}"] if follows else []
        process = self._write("server", [*words, "save 3600 1", "repl-diskless-sync-delay 0", *lines], password)
        process["user"] = user
        self.start(process)
        if follows:
            eventually(lambda: self._linked(process, follows), "the replica is linked")
        return process

    def sentinel(self, master: Request, quorum: int = 1) -> Request:
        """Write a Sentinel's file and start it."""
        lines = [
            f"requirepass {PASSWORD}",
            f"sentinel monitor {MONITOR} {master['address']} {master['port']} {quorum}",
            f"sentinel auth-pass {MONITOR} {master['password']}",
            f"sentinel down-after-milliseconds {MONITOR} 5000",
        ]
        process = self._write("sentinel", lines, PASSWORD)
        self.start(process)
        return process

    def _linked(self, replica: Request, master: Request) -> bool:
        """Whether both say so: the master a moment later, when it has had a word from the replica."""
        rows = [value for name, value in self.info(master).items() if name.startswith("slave")]
        online = any(f"port={replica['port']},state=online," in row for row in rows)
        return online and self.info(replica).get("master_link_status") == "up"

    def _write(self, kind: str, lines: list[str], password: str) -> Request:
        port = free_ports(1)[0]
        name = f"{'sentinel' if kind == 'sentinel' else 'orders'}-{port}"
        home = self.folder / name
        (home / "data").mkdir(parents=True, mode=0o700)
        process: Request = {
            "name": name, "kind": kind, "address": "127.0.0.1", "port": port, "password": password or None,
            "configuration": str(home / ("sentinel.conf" if kind == "sentinel" else "redis.conf")),
            "unit": "", "data": str(home / "data"), "log": str(home / "log"), "pid": str(home / "pid"),
        }  # fmt: skip
        own = [f"port {port}", "bind 127.0.0.1", "daemonize yes", f"dir {process['data']}"]
        own += [f"pidfile {process['pid']}", f"logfile {process['log']}"]
        Path(process["configuration"]).write_text("\n".join([*own, *lines, ""]), encoding="utf-8")
        Path(process["configuration"]).chmod(0o600)
        self.processes[name] = process
        return process

    def start(self, process: Request) -> None:
        """Start a process with the file that it has and wait until it answers with its data."""
        spawn(server_binary(), managed(process))
        eventually(lambda: self._ready(process), f"{process['name']} answers")

    def _ready(self, process: Request) -> bool:
        try:
            return self.info(process).get("loading", "0") == "0"
        except (OSError, ReplyError):
            return False

    def call(self, process: Request, *words: object) -> Reply:
        """Send one command, with whatever password the process takes."""
        connection, _ = connect(managed(process))
        with connection:
            return connection.call(*words)

    def info(self, process: Request) -> dict[str, str]:
        """Return INFO."""
        return info(self.call(process, "INFO"))

    def config(self, process: Request, name: str) -> str:
        """Return a directive's value."""
        return pairs(self.call(process, "CONFIG", "GET", name))[name]

    def pid(self, process: Request) -> int:
        """Return its pid, 0 when it does not run."""
        return running_pid(process["pid"], process["data"])

    def kill(self, process: Request) -> None:
        """SIGKILL it and wait for its end."""
        pid = self.pid(process)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self.pid(process), f"{process['name']} is gone")

    def stop(self, process: Request) -> None:
        """SIGTERM it and wait for its end."""
        os.kill(self.pid(process), signal.SIGTERM)
        eventually(lambda: not self.pid(process), f"{process['name']} is gone")

    def fill(self, process: Request, keys: int = 1000) -> None:
        """Write so many keys."""
        connection, _ = connect(managed(process))
        with connection:
            for number in range(keys):
                connection.call("SET", f"key:{number}", number)

    def lines(self, process: Request) -> list[str]:
        """Return the lines of its file."""
        return Path(process["configuration"]).read_text(encoding="utf-8").splitlines()

    def settled(self, replicas: int, sentinels: int) -> bool:
        """Whether every Sentinel knows so many replicas and other Sentinels, all in contact."""
        for process in self.processes.values():
            if process["kind"] == "sentinel":
                rows = [pairs(each) for each in self.call(process, "SENTINEL", "REPLICAS", MONITOR)]
                others = [pairs(each) for each in self.call(process, "SENTINEL", "SENTINELS", MONITOR)]
                counts = ([each["flags"] for each in rows], [each["flags"] for each in others])
                if counts != (["slave"] * replicas, ["sentinel"] * sentinels):
                    return False
        return True


@contextmanager
def daemons(folder: Path) -> Iterator[Daemons]:
    """Give a folder of daemons and end all of them, whatever state they are in."""
    made = Daemons(folder)
    try:
        yield made
    finally:
        for process in made.processes.values():
            pid = made.pid(process)
            if pid:
                os.kill(pid, signal.SIGKILL)
