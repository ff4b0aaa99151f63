"""How to get into a process on this machine; a secret never leaves the machine.

A run that was killed, or a hand that changed a file, leaves processes with another password than the description has.
Their own configuration file knows it: it is read here, used here, and nothing of it is ever returned.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from .access import Access
from .access import connect as connect_by
from .conf.text import Line, parse_file
from .endpoint import Endpoint
from .host.files import text_of
from .messages.process import ManagedProcess
from .protocol.resp import Connection, ReplyError
from .secret import MASK, Secret

SENSITIVE = frozenset(
    {"requirepass", "masterauth", "primaryauth", "user", "auth-pass", "sentinel-pass", "tls-key-file-pass"}
    | {"tls-client-key-file-pass"}
)
"""Directives whose words are secrets in every version; a request may name more."""
OPEN = "without any password"
"""What AUTH says where the default user needs no password (Redis >= 6.0)."""
_UNASKED = "Client sent AUTH"
OTHER_PASSWORD = "WRONGPASS"  # noqa: S105 (a code)
"""The code of an error that says that a process has another password, in whatever words."""
# Answers to a PING of somebody who is in: not the password is amiss.
_INSIDE = ("LOADING", "MASTERDOWN", "BUSY", "MISCONF", "NOPERM")


def connect(process: ManagedProcess, timeout: float = 2.0) -> tuple[Connection, str]:
    """Connect to a process and say which password opened it; raises OSError or ReplyError as access.py does.

    ``own`` is that of the user that redis-fleet logs in as, where it is not the default user. Of that one ``described``
    is its own (also when it has none and none is needed), ``filed`` one from the process's configuration file, ``none``
    that it needs none although one is described. The error is that of the first.
    """
    process = _where_it_listens(process)
    first: ReplyError | None = None
    tried: set[tuple[str, str]] = set()
    for way, word in _ways(process):
        asked = (way.user, way.secret.reveal() if way.secret else "")
        if asked in tried:
            continue
        tried.add(asked)
        try:
            return _opened(way, process, timeout), word
        except ReplyError as error:
            # A Sentinel of 6.0 has no users: it takes no name beside the password.
            if not _about_passwords(error) and word != "own":
                raise
            first = first or error
    raise first or ReplyError("ERR no way in")


def default_way(process: ManagedProcess, timeout: float = 2.0) -> str:
    """Say which password opens a process to its default user, as ``connect`` does; empty when none of them does."""
    try:
        connection, word = connect(replace(process, access=with_password(process.access, process.password)), timeout)
    except ReplyError:
        return ""
    connection.close()
    return word


def with_password(way: Access, password: str) -> Access:
    """Return the same way in as the default user with this password; an empty one is none."""
    return replace(way, secret=Secret(password) if password else None, user="")


def at(process: ManagedProcess, endpoint: Endpoint) -> ManagedProcess:
    """Return another process that the same password, and the same file's, opens."""
    return replace(process, access=replace(process.access, endpoint=endpoint))


def _where_it_listens(process: ManagedProcess) -> ManagedProcess:
    """Return a process on the socket that its own file names, which may not be the described one yet."""
    if not process.access.endpoint.on_socket:
        return process
    path = own_socket(directives(process.configuration))
    return at(process, Endpoint(path, 0)) if path and Path(path).exists() else process


def own_socket(lines: Iterable[Line]) -> str:
    """Return the path of the socket that a configuration file gives a server, empty where it gives it none."""
    said = {line.name: line.words[0] for line in lines if line.words}  # of two, the server takes the last
    path = os.path.normpath(Path(said.get("dir", ""), said.get("unixsocket", "")))
    return path if said.get("unixsocket") and path.startswith("/") else ""


def _ways(process: ManagedProcess) -> Iterator[tuple[Access, str]]:
    if process.access.user:
        yield process.access, "own"
    if process.previous:
        yield replace(process.access, secret=process.previous), "own"
    tries = [(process.password, "described"), *((each, "filed") for each in filed(process)), ("", "none")]
    yield from ((with_password(process.access, password), word) for password, word in tries)


def _met(way: Access, process: ManagedProcess, timeout: float) -> Connection:
    """Connect to a process of this machine: whoever shows what lies in its file is the one, be that out of date."""
    try:
        return connect_by(way, timeout)
    except OSError as error:
        own = process.certificates
        if own is None or way.tls is None or not getattr(error, "verify_code", 0):
            raise
        shown = text_of(own.certificate)
        if not shown:
            raise
        return connect_by(replace(way, tls=replace(way.tls, pinned=shown)), timeout)


def _opened(way: Access, process: ManagedProcess, timeout: float) -> Connection:
    connection = _met(way, process, timeout)
    if way.secret is None:
        try:
            connection.call("PING")
        except (ReplyError, OSError) as error:
            if not (isinstance(error, ReplyError) and error.code in _INSIDE):
                connection.close()
                raise
    return connection


def _about_passwords(error: ReplyError) -> bool:
    return error.code in ("WRONGPASS", "NOAUTH") or OPEN in str(error) or "invalid password" in str(error)


def code_of(error: ReplyError) -> str:
    """Return the code of a server's error; one code for all about passwords, which some servers say in words alone."""
    return OTHER_PASSWORD if _about_passwords(error) or _UNASKED in str(error) else error.code


def filed(process: ManagedProcess) -> list[str]:
    """Return the passwords that a process's own configuration file has for it; none when it cannot be read."""
    found, lines = [], directives(process.configuration)
    # What it gives to the others is then another user's.
    named = any(line.name == "sentinel" and line.words[:1] == ("sentinel-user",) for line in lines)
    for line in lines:
        if line.name == "requirepass" and line.words:
            found.append(line.words[0])
        elif line.name == "sentinel" and line.words[:1] == ("sentinel-pass",) and not named:
            found += line.words[1:2]
        elif line.name == "user" and line.words[:1] == ("default",):
            found += [word[1:] for word in line.words if word.startswith(">")]
    return [password for password in dict.fromkeys(found) if password]


def directives(path: str) -> list[Line]:
    """Return the directives of a configuration file; none when it cannot be read."""
    try:
        return parse_file(Path(path).read_text(encoding="utf-8", errors="surrogateescape"))
    except (OSError, ValueError):
        return []


def is_secret(name: str, words: tuple[str, ...], sensitive: Iterable[str] = ()) -> bool:
    """Say whether the words of a line are secret, also those behind ``sentinel NAME``."""
    secret = SENSITIVE.union(sensitive)
    return any(word.lower() in secret for word in [*name.split()[:2], *(words[:1] if name == "sentinel" else ())])


def secrets_of(process: ManagedProcess) -> set[str]:
    """Return every secret that an error about this process could repeat: the described one and those in its file."""
    lines = [line for line in directives(process.configuration) if is_secret(line.name, line.words)]
    own = process.access.secret.reveal() if process.access.secret else ""
    return {process.password, own} | {_bare(word) for line in lines for word in line.words[-1:]}


def secret_words(words: Iterable[object], sensitive: Iterable[str] = ()) -> set[str]:
    """Return those words of a command that are secret: ACL passwords and hashes, and what stands behind ``auth-pass``.

    A sensitive directive may be followed by the master's name, as in a file.
    """
    found, secret = set(), SENSITIVE.union(sensitive) - {"user"}
    given = [str(word) for word in words]
    for before, word in zip(["", *given], given):
        if before.lower() in secret or word[:1] in (">", "<", "#", "!"):
            found.add(_bare(word))
    return found


def _bare(word: str) -> str:
    return word[1:] if word[:1] in (">", "<", "#", "!") else word


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets; what an unknown command was given is cut off, it may hold half of one."""
    text = text.partition(", with args beginning")[0]
    for secret in sorted(set(secrets) - {""}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def count_passwords(connection: Connection) -> int | None:
    """Return how many passwords the default user has; None where there is no ACL (before 6, Sentinel 6.0)."""
    row = default_user(connection)
    return len(row.get("passwords", [])) if row is not None else None


def default_user(connection: Connection) -> dict[str, list[str]] | None:
    """Return what ACL GETUSER says, passwords as hashes."""
    try:
        row = connection.call("ACL", "GETUSER", "default")
    except ReplyError:
        return None
    return dict(zip(row[::2], row[1::2]))


def accepts_unauthenticated(process: ManagedProcess, timeout: float = 2.0) -> bool:
    """Say whether a process answers whoever gives no password; raises OSError when it cannot be reached.

    One that lets everybody ask for a PONG, and for nothing else, does not.
    """
    with _met(with_password(_where_it_listens(process).access, ""), process, timeout) as stranger:
        for command in ("PING", "ROLE"):
            try:
                stranger.call(command)
            except ReplyError as error:
                if error.code in ("NOAUTH", "DENIED", "NOPERM"):
                    return False
    return True
