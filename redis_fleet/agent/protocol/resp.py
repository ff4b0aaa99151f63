"""A small client of the Redis protocol (RESP2), for machines that have nothing but Python.

Replies come back as ``str`` (bulk and simple strings), ``int``, ``None`` or nested lists of these. An error reply
raises ``ReplyError`` whose ``code`` is its first word (``NOAUTH``, ``READONLY`` ...); inside a nested reply (EXEC) it
stands as a ``ReplyError`` value. A connection that cannot be made or is lost raises ``OSError``.
Protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from typing import Any, BinaryIO

Reply = Any
LONGEST_SOCKET = 107
"""Bytes of the path of a socket: unix(7)."""


class ReplyError(Exception):
    """The server answered with an error; ``code`` is its first word."""

    def __init__(self, text: str) -> None:
        """Keep the whole text and its first word."""
        super().__init__(text)
        self.code = text.split(" ", 1)[0]


class Connection:
    """One connection to one process; ``timeout`` (seconds) bounds connecting and each reply.

    An address that begins with ``/`` is a Unix socket's path; the port then means nothing.
    """

    def __init__(self, address: str, port: int, password: str | None = None, timeout: float = 2.0) -> None:
        """Connect and, with a password, authenticate; raises OSError or ReplyError."""
        self._socket = _connected(address, port, timeout)
        self._reader: BinaryIO = self._socket.makefile("rb")
        if password is not None:
            try:
                self.call("AUTH", password)
            except ReplyError as error:
                self.close()
                # A server that does not know AUTH (renamed) repeats its arguments.
                raise ReplyError(str(error).replace(password, "********")) from None
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._reader.close()
        self._socket.close()

    def call(self, *words: object) -> Reply:
        """Send one command and return its reply."""
        self._socket.sendall(encode(words))
        reply = self._read()
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def pipeline(self, commands: Iterable[tuple[object, ...]]) -> list[Reply]:
        """Send commands at once and return their replies; an error stands as a ReplyError in its place."""
        sent = [encode(words) for words in commands]
        self._socket.sendall(b"".join(sent))
        return [self._read() for _ in sent]

    def calls(self, *commands: tuple[object, ...]) -> list[Reply]:
        """Send commands at once and return their replies; raises the first ReplyError among them."""
        return replies(self.pipeline(commands))

    def _line(self) -> str:
        line = self._reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        return line[:-2].decode("utf-8", "surrogateescape")

    def _read(self) -> Reply:
        line = self._line()
        kind, rest = line[0], line[1:]
        if kind == "+":
            return rest
        if kind == "-":
            return ReplyError(rest)
        if kind == ":":
            return int(rest)
        if kind == "$":
            return self._bulk(int(rest))
        if kind == "*":
            return None if int(rest) < 0 else [self._read() for _ in range(int(rest))]
        raise ConnectionError(f"not a Redis reply: {line[:40]!r}")

    def _bulk(self, length: int) -> str | None:
        if length < 0:
            return None
        body = self._reader.read(length + 2)
        if len(body) < length + 2:
            raise ConnectionError("the server closed the connection")
        return body[:-2].decode("utf-8", "surrogateescape")


def _connected(address: str, port: int, timeout: float) -> socket.socket:
    """Return a connected socket; raises OSError."""
    if not address.startswith("/"):
        connected = socket.create_connection((address, port), timeout=timeout)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected
    local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        local.settimeout(timeout)
        _connect_local(local, address)
    except BaseException:
        local.close()
        raise
    return local


def _connect_local(local: socket.socket, path: str) -> None:
    """Connect to a path of any length: the kernel takes a longer one by way of its folder."""
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        local.connect(path)
        return
    folder, name = os.path.split(path)
    way = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        local.connect(f"/proc/self/fd/{way}/{name}")
    finally:
        os.close(way)


def encode(words: tuple[object, ...]) -> bytes:
    """Return a command as RESP bytes."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        body = str(word).encode("utf-8", "surrogateescape")
        parts.append(b"$%d\r\n%s\r\n" % (len(body), body))
    return b"".join(parts)


def replies(answers: list[Reply]) -> list[Reply]:
    """Return the answers of a pipeline; raises the first ReplyError among them."""
    refused = next((each for each in answers if isinstance(each, ReplyError)), None)
    if refused:
        raise refused
    return answers


def pairs(flat: list[Reply]) -> dict[str, str]:
    """Turn a flat ``[name, value, ...]`` reply (CONFIG GET, SENTINEL MASTER) into a dict."""
    return {str(flat[i]): str(flat[i + 1]) for i in range(0, len(flat) - 1, 2)}


def info(text: str) -> dict[str, str]:
    """Turn INFO's text into a dict; comment lines are dropped."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line and line[0] != "#")
