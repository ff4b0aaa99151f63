"""Throw-away servers and Sentinels on free loopback ports, for what no deployment should be asked to show."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.host.interrupts import held_back
from redis_fleet.agent.protocol.resp import Connection, Reply, ReplyError, info
from redis_fleet.loopback import free_ports

_SECONDS = 20.0
_PAUSE = 0.01
# Nobody waits for more replicas here; and a fork for a synchronisation would spoil what the drills measure.
_QUICK = ("repl-diskless-sync yes", "repl-diskless-sync-delay 0")


class LabError(Exception):
    """A server of the lab did not do what it must, such as start; the text has its last words."""


def until(condition: Callable[[], bool], what: str, seconds: float = _SECONDS) -> None:
    """Wait until a condition holds; raises LabError with ``what`` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"not within {seconds:g} s: {what}")
        time.sleep(_PAUSE)


@dataclass
class Server:
    """One process of the lab: it is started, killed and started again in the same folder on the same port.

    ``lines`` are those of its configuration file beside its address and folder; ``arguments`` stand behind the file.
    """

    name: str
    binary: str
    folder: Path
    port: int
    lines: list[str] = field(default_factory=list)
    arguments: tuple[str, ...] = ()
    sentinel: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _connection: Connection | None = None

    @property
    def file(self) -> Path:
        """Its configuration file."""
        return self.folder / ("sentinel.conf" if self.sentinel else "redis.conf")

    @property
    def log(self) -> str:
        """What it has printed so far."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process number; 0 when it was never started."""
        return self._process.pid if self._process else 0

    def start(self, *, write: bool = True) -> Server:
        """Start it and wait until it answers; with ``write`` its file is written first. Raises LabError."""
        self.begin(write=write)
        until(self._answers_or_ended, f"{self.name} answers")
        if not self.alive:
            raise LabError(f"{self.name} ended at once: {self._last_words()}")
        return self

    def begin(self, *, write: bool = True) -> None:
        """Start it without waiting, for a server that may not come up at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if write:
            own = ["bind 127.0.0.1", f"port {self.port}", f"dir {quote(str(self.folder))}"]
            quick = [] if self.sentinel else _QUICK
            self.file.write_text("\n".join([*own, *quick, *self.lines]) + "\n", encoding="utf-8")
        command = [self.binary, str(self.file), *self.arguments, *(["--sentinel"] if self.sentinel else [])]
        with (self.folder / "log").open("ab") as log, held_back():
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def ended(self, seconds: float = _SECONDS) -> int:
        """Wait until it has ended by itself and return its exit code; raises LabError when it goes on."""
        assert self._process is not None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} still runs") from None

    def kill(self) -> None:
        """SIGKILL it: what it had not handed to the kernel is lost."""
        self._end(lambda process: process.kill())

    def stop(self) -> None:
        """SIGTERM it: it saves when it has save points, and ends."""
        self._end(lambda process: process.terminate())

    def call(self, *words: object) -> Reply:
        """Send one command over a connection that is kept; raises ReplyError or OSError."""
        if self._connection is None:
            self._connection = self.client()
        try:
            return self._connection.call(*words)
        except OSError:
            self._hang_up()
            raise

    def client(self, timeout: float = 30.0) -> Connection:
        """Return a connection of its own; the caller closes it."""
        return connect(Access(Endpoint("127.0.0.1", self.port)), timeout)

    def info(self, section: str = "everything") -> dict[str, str]:
        """Return the fields of INFO."""
        return info(self.call("INFO", section))

    def _answers_or_ended(self) -> bool:
        if not self.alive:
            return True
        try:
            with self.client(1.0) as connection:
                connection.call("PING")
        except (OSError, ReplyError):
            return False
        return True

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        self._hang_up()
        if self._process is not None and self._process.poll() is None:
            how(self._process)
            try:
                self._process.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _last_words(self) -> str:
        return " / ".join(self.log.strip().splitlines()[-3:])


class Lab:
    """A folder with servers; when it is left everything in it is killed and removed."""

    def __init__(self, binary: str) -> None:
        """``binary`` is the server program of every server made here."""
        self.binary = binary
        # It goes away with the process even when this is never entered.
        self._temporary = tempfile.TemporaryDirectory(prefix="redis-fleet-drill-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self._servers: list[Server] = []

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def server(self, name: str, *lines: str, arguments: tuple[str, ...] = (), sentinel: bool = False) -> Server:
        """Make a server or Sentinel with a port and folder of its own; it is not started yet."""
        (port,) = free_ports(1, {server.port for server in self._servers})
        made = Server(name, self.binary, self.folder / name, port, list(lines), arguments, sentinel)
        self._servers.append(made)
        return made

    def close(self) -> None:
        """Kill everything and remove the folder."""
        with held_back():
            for server in self._servers:
                server.kill()
            self._temporary.cleanup()
