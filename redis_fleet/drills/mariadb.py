"""A database for a drill: a private MariaDB without a network, or one database on a server that is named by URL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from redis_fleet.agent.host.interrupts import held_back
from redis_fleet.agent.host.scratch import end_all
from redis_fleet.drills.context import NotHereError
from redis_fleet.drills.lab import LabError, until

GIVEN = "REDIS_FLEET_DRILL_MYSQL"
PACKAGES = ("mariadb-server-core", "mariadb-client-core")
_SECONDS = 60.0
# What it holds is one row, and nobody needs it after the drill.
_SMALL = (
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=4M",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-log-bin",
    "--max-connections=200",
)
_BESIDE = "/usr/sbin"  # where Debian puts the server, outside the PATH of most users


@contextmanager
def database(name: str) -> Iterator[str]:
    """Give the URL of a new database and drop it afterwards; raises NotHereError, LabError.

    It is on the server that the environment names (REDIS_FLEET_DRILL_MYSQL=mysql://user:password@host:port/), else on
    one of our own.
    """
    given = os.environ.get(GIVEN)
    if given:
        with _on(given, name) as url:
            yield url
    else:
        with _private() as server, _on(server, name) as url:
            yield url


def connect(url: str) -> Any:
    """Return a PyMySQL connection to a URL that commits each statement; raises its errors."""
    parts = urlsplit(url)
    socket = parse_qs(parts.query).get("unix_socket", [None])[0]
    return import_module("pymysql").connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        unix_socket=socket,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/") or None,
        charset="utf8mb4",
        ssl_disabled=bool(socket),
        autocommit=True,
        connect_timeout=10,
    )


def query(url: str, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of its own and return its rows."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


@contextmanager
def _on(server: str, name: str) -> Iterator[str]:
    try:
        query(server, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    except import_module("pymysql").MySQLError as error:
        raise LabError(f"no database could be made on {_shown(server)}: {error}") from error
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        query(server, f"DROP DATABASE `{name}`")


def _shown(url: str) -> str:
    """Return where a URL leads, without who goes there."""
    parts = urlsplit(url)
    return parts.hostname or "the private server"


@contextmanager
def _private() -> Iterator[str]:
    """Start a server in a folder that only we can enter, without a port, and give its URL."""
    maker, server = (_program(name) for name in ("mariadb-install-db", "mariadbd"))
    account = _account()
    with tempfile.TemporaryDirectory(
        prefix="redis-fleet-mariadb-", dir=_reachable(account), ignore_cleanup_errors=True
    ) as made:
        folder = Path(made)
        # The account may not write to our own folder for temporary files.
        own = ["--no-defaults", f"--datadir={folder / 'data'}", f"--tmpdir={folder}", *_SMALL]
        if account:
            shutil.chown(folder, account)
            own.append(f"--user={account}")
        _made([maker, *own, "--auth-root-authentication-method=normal", "--skip-test-db"], folder)
        socket = folder / "socket"
        command = [server, *own, "--skip-networking", f"--socket={socket}", f"--pid-file={folder / 'pid'}"]
        url = f"mysql://root@localhost/?unix_socket={quote(str(socket))}"
        with _running(command, folder) as process:
            until(lambda: _answers(url) or process.poll() is not None, "MariaDB answers", _SECONDS)
            if process.poll() is not None:
                raise LabError(f"MariaDB ended at once: {_last_words(folder)}")
            yield url


def _made(command: list[str], folder: Path) -> None:
    """Make the system tables."""
    try:
        with _running(command, folder) as process:
            code = process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        raise LabError(f"mariadb-install-db did not end within {_SECONDS:g} s") from None
    if code:
        raise LabError(f"mariadb-install-db ended with exit code {code}: {_last_words(folder)}")


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that Ctrl-C does not reach, and kill all of it at the end: what it holds is thrown away."""
    process = None
    try:
        with (folder / "log").open("ab") as log, held_back():
            process = subprocess.Popen(
                command, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        yield process
    finally:
        if process:
            with held_back():
                end_all(process)


def _answers(url: str) -> bool:
    try:
        connect(url).close()
    except import_module("pymysql").MySQLError:
        return False
    return True


def _last_words(folder: Path) -> str:
    return " / ".join((folder / "log").read_text(errors="replace").strip().splitlines()[-3:])


def _program(name: str) -> str:
    folders = f"{os.environ.get('PATH', '')}:{_BESIDE}"
    path = shutil.which(name, path=folders)
    if not path or not shutil.which("my_print_defaults", path=folders):
        raise NotHereError(
            f"MariaDB is not here; 'apt-get install --no-install-recommends {' '.join(PACKAGES)}' (no service comes "
            f"along), or name a server: {GIVEN}=mysql://user:password@host/"
        )
    return path


def _account() -> str:
    """Return whom the server runs as: as root somebody who may do nothing, else nobody else than ourselves."""
    if os.geteuid():
        return ""
    for name in ("mysql", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NotHereError("MariaDB does not run as root, and there is no user mysql or nobody")


def _reachable(account: str) -> str:
    """Return a folder for temporary ones that the account can come to."""
    usual = Path(tempfile.gettempdir()).resolve()
    if account and not all(each.stat().st_mode & 0o001 for each in (usual, *usual.parents)):
        return "/tmp"  # noqa: S108  (the folder made in it belongs to the account alone)
    return str(usual)
