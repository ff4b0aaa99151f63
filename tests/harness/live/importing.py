"""Files for the tests of import, and real processes started on them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis_fleet.adoption.found import Adopted
from redis_fleet.adoption.loading import environment, usable
from redis_fleet.adoption.paths import look
from redis_fleet.agent.protocol.resp import Connection, ReplyError
from redis_fleet.loading import load_fleet
from redis_fleet.model import Fleet
from redis_fleet.render.files import configuration
from tests.harness.engines import Binary

CORNERS = Path(__file__).parents[2] / "adoption"
_TAG = re.compile(r"^# (since|until|engine|says|tls|version|starts)(?:: (.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Corner:
    """One file that uses a corner of the grammar; its first comments say who can read it."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(CORNERS)).removesuffix(".conf").removesuffix("/redis")

    @property
    def tags(self) -> dict[str, str]:
        """What the comments ``# since: 7.0`` say."""
        return dict(_TAG.findall(self.path.read_bytes().decode("utf-8", "surrogateescape")))

    def suits(self, binary: Binary) -> bool:
        """Say whether an engine can read it at all; Valkey counts as what it was forked from, 7.2, and later."""
        tags, version = self.tags, numbers(binary.version)
        if "tls" in tags and not binary.stock:
            return False  # not every wheel is built with it
        return (
            tags.get("engine", binary.engine) == binary.engine
            and version >= numbers(tags.get("since", "0"))
            and version[:2] <= numbers(tags.get("until", "99"))[:2]
        )


def numbers(version: str) -> tuple[int, ...]:
    """Return a version's numbers."""
    return tuple(map(int, version.split(".")))


def corners(*patterns: str) -> list[Corner]:
    """Return the files."""
    return [Corner(path) for pattern in patterns for path in sorted(CORNERS.glob(pattern))]


def imported(
    paths: list[Path], folder: Path, engine: str, version: str | None = None, *, brief: bool = False
) -> tuple[Fleet, Adopted]:
    """Import files and load the description that comes out, its secrets in the environment."""
    survey = look(paths, engine, version)
    adopted, problems = usable(survey.found, "again", brief=brief)
    assert not problems
    folder.mkdir(exist_ok=True)
    file = folder / "again.redis.yml"
    file.write_text(adopted.text, encoding="utf-8")
    with environment(adopted.secrets):
        return load_fleet(str(file)), adopted


def rendered(fleet: Fleet, index: int = 0) -> bytes:
    """Return the configuration file of a process."""
    return configuration(fleet, fleet.processes[index]).encode()


def rehomed(text: bytes, folder: Path) -> bytes:
    """Put the folders of a package's file where this test may write."""
    return re.sub(
        rb"^((?:dir|logfile|pidfile)\s+)/var/(?:lib|log|run)/\w+|^((?:pidfile)\s+)/run/\w+",
        lambda m: (m[1] or m[2]) + str(folder).encode(),
        text,
        flags=re.MULTILINE,
    )


@contextmanager
def started(
    executable: Path, file: Path, *options: str, password: str | None = None, folder: Path | None = None
) -> Iterator[Connection]:
    """Start a process on a file in the file's folder, reached by a Unix socket only; ends it."""
    with tempfile.TemporaryDirectory(prefix="rf-", dir="/tmp") as short:
        socket = f"{short}/s"
        own = ["--port", "0", "--unixsocket", socket, "--daemonize", "no", "--supervised", "no", "--logfile", ""]
        own += ["--pidfile", f"{short}/pid", *options]
        with (Path(short) / "log").open("wb") as log:
            process = subprocess.Popen([executable, file, *own], cwd=folder or file.parent, stdout=log, stderr=log)
        try:
            yield _answering(process, socket, password, Path(short) / "log")
        finally:
            process.kill()
            process.wait(timeout=60)


def _answering(process: subprocess.Popen[bytes], socket: str, password: str | None, log: Path) -> Connection:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = Connection(socket, 0, password, timeout=10)
            connection.call("PING")
        except ReplyError as error:
            if not str(error).startswith("LOADING"):
                raise AssertionError(f"{error}: {log.read_text(errors='replace')}") from None
        except OSError:
            time.sleep(0.005)
        else:
            return connection
    raise AssertionError(log.read_text(errors="replace"))


def copied(corner: Corner, folder: Path) -> Path:
    """Copy a corner file, with its whole folder where it is one of several, and return it."""
    if corner.path.parent in (CORNERS, CORNERS / "sentinel", CORNERS / "refused"):
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(corner.path, folder))
    shutil.copytree(corner.path.parent, folder)
    return folder / corner.path.name
