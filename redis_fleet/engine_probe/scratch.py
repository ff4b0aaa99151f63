"""One real server or Sentinel in a folder of its own, reached by a Unix socket: no network, no data left behind."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis_fleet.agent.access import Access, connect
from redis_fleet.agent.conf.text import quote
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.protocol.resp import Connection, Reply, ReplyError, pairs
from redis_fleet.agent.secret import Secret

_SECONDS = 20.0
_PAUSE = 0.005


class StartError(Exception):
    """The process ended, or did not answer in time; the text is what it printed and logged."""


@dataclass(frozen=True)
class Scratch:
    """A running process: its connection, its folder (working directory too) and its configuration file."""

    connection: Connection
    folder: Path
    configuration: Path

    def call(self, *words: object) -> Reply:
        """Send one command and return its reply; raises ReplyError or OSError."""
        return self.connection.call(*words)

    def settings(self, pattern: str = "*") -> dict[str, str]:
        """Return what CONFIG GET answers; a Sentinel has no such command."""
        return pairs(self.call("CONFIG", "GET", pattern))


@contextmanager
def scratch(
    executable: str | Path,
    text: str = "",
    *,
    sentinel: bool = False,
    password: str | None = None,
    folder: Path | None = None,
    seconds: float = _SECONDS,
) -> Iterator[Scratch]:
    """Run a binary on a configuration file with that text, and end it.

    ``dir``, ``port`` and ``unixsocket`` are ours, whatever the text says; an empty folder that is given stays behind.
    Raises StartError when it does not answer within ``seconds``, OSError when it cannot be executed.
    """
    # A socket's path has 107 letters at most: neither TMPDIR nor a test's folder must be part of it.
    with tempfile.TemporaryDirectory(prefix="redis-fleet-", dir="/tmp") as short:
        home = folder or Path(short)
        home.mkdir(parents=True, exist_ok=True)
        configuration, socket = home / "conf", Path(short) / "socket"
        own = f"dir {quote(str(home))}\nport 0\nunixsocket {socket}\n"
        # Behind the text: of a directive that stands twice the last one counts.
        configuration.write_bytes(f"{text.rstrip()}\n{own}".encode("utf-8", "surrogateescape"))
        found = shutil.which(executable) or str(executable)
        command = [str(Path(found).absolute()), str(configuration), *(["--sentinel"] if sentinel else [])]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            with _connected(process, socket, home / "log", password, seconds) as connection:
                yield Scratch(connection, home, configuration)
        finally:
            process.kill()
            process.wait()


def _connected(
    process: subprocess.Popen[bytes], socket: Path, log: Path, password: str | None, seconds: float
) -> Connection:
    """Wait for the process' first answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        connection = None if ended else _answering(socket, password)
        if connection:
            return connection
        if ended:
            break
        time.sleep(_PAUSE)
    raise StartError(log.read_text(errors="replace").strip() or f"no answer, exit code {process.poll()}")


def _answering(socket: Path, password: str | None) -> Connection | None:
    """Return a connection to a server that is ready, or nothing so far; StartError for a wrong password."""
    connection = None
    try:
        secret = None if password is None else Secret(password)
        connection = connect(Access(Endpoint(str(socket), 0), secret), timeout=10)
        connection.call("PING")
    except OSError:
        pass
    except ReplyError as error:
        if connection is None:
            raise StartError(str(error)) from error
        if error.code != "LOADING":
            return connection
    else:
        return connection
    if connection:
        connection.close()
    return None
