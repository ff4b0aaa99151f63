"""The blog of tests/apps/blog with its database and two application servers, for as long as a drill needs it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from importlib.util import find_spec
from pathlib import Path

from redis_fleet.agent.host.interrupts import held_back
from redis_fleet.drills.application_access import Entrance
from redis_fleet.drills.context import NotHereError
from redis_fleet.drills.lab import LabError, until
from redis_fleet.drills.mariadb import database, query
from redis_fleet.loopback import free_ports
from redis_fleet.project import APPLICATIONS

APP = APPLICATIONS / "blog"
REQUESTS = 30
NAME = "guoxiaonao"
_SERVERS = 2
_STARTS_WITHIN = 60.0
# Longer than the view's own patience: the view says what went wrong, this would only break the line.
_TIMEOUT = 90.0
_NEEDED = {"django": "django>=5.2,<5.3", "pymysql": "pymysql>=1.1,<2", "redis": "redis>=5,<9"}


@dataclass(frozen=True)
class Answer:
    """What one request got: the HTTP status (0 for none), how often it tried for the lock, and seconds."""

    status: int
    tries: int
    seconds: float


@dataclass(frozen=True)
class Round:
    """Thirty requests at the same time, and the score that they made of 0."""

    score: int
    answers: tuple[Answer, ...]
    seconds: float

    @property
    def failed(self) -> int:
        """How many were not answered with 200."""
        return sum(each.status != 200 for each in self.answers)

    @property
    def retried(self) -> int:
        """How many had to try more than once, because there was no master or the lock was not free in time."""
        return sum(each.tries > 1 for each in self.answers)

    @property
    def longest(self) -> float:
        """The longest time that somebody waited for an answer, in seconds."""
        return max(each.seconds for each in self.answers)


@dataclass(frozen=True)
class Site:
    """The blog while it runs: its servers, and its database, whose URL may have a password."""

    servers: tuple[str, ...]
    url: str = field(repr=False)

    def round(self, path: str) -> Round:
        """Set the score to 0, send thirty requests to servers drawn at random, and look into the database."""
        query(self.url, "UPDATE user_profile SET score = 0 WHERE username = %s", (NAME,))
        gate = threading.Barrier(REQUESTS)
        answers: list[Answer] = []
        urls = [random.choice(self.servers) + path for _ in range(REQUESTS)]  # noqa: S311
        # Daemons: whoever interrupts does not wait for what is still on its way.
        threads = [
            threading.Thread(target=lambda url=url: answers.append(_request(url, gate)), daemon=True) for url in urls
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - began
        return Round(self.score(), tuple(answers), seconds)

    def score(self) -> int:
        """Return the score as the database has it."""
        return int(query(self.url, "SELECT score FROM user_profile WHERE username = %s", (NAME,))[0][0])


def _request(url: str, gate: threading.Barrier) -> Answer:
    began = time.monotonic()
    status, tries = 0, 0
    try:
        gate.wait(_TIMEOUT)
        began = time.monotonic()
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as reply:  # noqa: S310  (our own servers)
            status, tries = reply.status, int(json.load(reply).get("tries", 1))
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    except (OSError, HTTPException, threading.BrokenBarrierError):
        status = 0
    return Answer(status, tries, time.monotonic() - began)


def need_packages() -> None:
    """Raise NotHereError when the blog, or what it is written with, is not here."""
    if not (APP / "manage.py").is_file():
        raise NotHereError(f"the blog is not here: {APP}; run the drill in a checkout of redis-fleet")
    missing = [wanted for name, wanted in _NEEDED.items() if find_spec(name) is None]
    if missing:
        words = " ".join(f"'{each}'" for each in missing)
        raise NotHereError(f"Python packages are not here; pip install {words}")


@contextmanager
def site(entrance: Entrance, key: str, replicas: int, name: str) -> Iterator[Site]:
    """Give the blog with a user whose score is 0; ``name`` is its database's, ``key`` its lock's.

    A lock counts when ``replicas`` of them have it. Everything is gone afterwards. Raises NotHereError, LabError.
    """
    with (
        database(name) as url,
        tempfile.TemporaryDirectory(prefix="redis-fleet-blog-", ignore_cleanup_errors=True) as made,
    ):
        folder = Path(made)
        processes: list[subprocess.Popen[bytes]] = []
        try:
            environment = {**os.environ, **_told(entrance, key, replicas, url)}
            _migrate(environment)
            query(url, "INSERT INTO user_profile VALUES (%s, %s, %s, %s, %s, %s)",
                  (NAME, NAME, f"{NAME}@example.org", "aaaaaaaa", "bbbbbbbb", 0))  # fmt: skip
            ports = free_ports(_SERVERS)
            for port in ports:
                with held_back():
                    processes.append(_started(port, environment, folder))
            for port, process in zip(ports, processes, strict=True):
                _await(port, process, folder)
            yield Site(tuple(f"http://127.0.0.1:{port}" for port in ports), url)
        finally:
            with held_back():
                for process in processes:
                    process.kill()
                    process.wait()


def _told(entrance: Entrance, key: str, replicas: int, url: str) -> dict[str, str]:
    """Return what the blog's settings want; an environment is seen by its owner alone, unlike arguments."""
    places = (f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for address, port in entrance.sentinels)
    return {
        "BLOG_DATABASE": url,
        "BLOG_SENTINELS": ",".join(places),
        "BLOG_MONITOR": entrance.monitor,
        "BLOG_REDIS_USER": entrance.user,
        "BLOG_SENTINEL_USER": entrance.sentinel_user,
        "BLOG_REDIS_PASSWORD": entrance.password or "",
        "BLOG_SENTINEL_PASSWORD": entrance.sentinel_password or "",
        "BLOG_LOCK": key,
        "BLOG_REPLICAS": str(replicas),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _migrate(environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=APP, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=_STARTS_WITHIN,
    )  # fmt: skip
    if done.returncode:
        raise LabError(f"manage.py migrate: {done.stderr.strip().splitlines()[-1]}")


def _started(port: int, environment: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with _log(folder, port).open("wb") as log:
        return subprocess.Popen(
            command, cwd=APP, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _await(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    def answers_or_ended() -> bool:
        if process.poll() is not None:
            return True
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/score", timeout=5) as reply:
                return bool(reply.status == 200)
        except (OSError, HTTPException):
            return False

    until(answers_or_ended, f"the blog on port {port} answers", _STARTS_WITHIN)
    if process.poll() is not None:
        words = _log(folder, port).read_text(errors="replace").strip().splitlines()
        raise LabError(f"the blog on port {port} ended at once: {words[-1] if words else ''}")


def _log(folder: Path, port: int) -> Path:
    return folder / f"{port}.log"
