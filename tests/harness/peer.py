"""A peer that speaks the Redis protocol and says what it was told to say: no server, only the other end of our client.

What a server really says is what the live tests are for. This is for the moments that a real one is hardly ever in.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from io import BufferedIOBase
from typing import Any

Reply = Any
"""``str``, ``int``, ``None``, a list of these; an exception stands for an error reply."""


class Peer:
    """Answers on a free port of loopback. ``says`` maps a command's first words (``INFO``, ``SENTINEL MASTERS``) to a
    reply, or to a function that returns one; the longest that fits counts, PING and AUTH are answered by themselves.

    ``heard`` are all commands, as texts. It is changed while it answers by changing ``says``.
    """

    def __init__(self, says: Mapping[str, Reply | Callable[[], Reply]] | None = None) -> None:
        self.says: dict[str, Reply | Callable[[], Reply]] = {"PING": "PONG", "AUTH": "OK", **(says or {})}
        self.heard: list[str] = []
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        """The port that it answers on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Peer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, command: str) -> bytes:
        """Return what it says to a command."""
        self.heard.append(command)
        fitting = [known for known in self.says if f"{command} ".upper().startswith(f"{known} ")]
        if not fitting:
            return b"-ERR unknown command\r\n"
        said = self.says[max(fitting, key=len)]
        return encoded(said() if callable(said) else said)


def encoded(reply: Reply) -> bytes:
    """Return a reply as it goes over the wire."""
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, Exception):
        return f"-{reply}\r\n".encode()
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, str):
        return b"$%d\r\n%s\r\n" % (len(reply.encode()), reply.encode())
    return b"*%d\r\n" % len(reply) + b"".join(map(encoded, reply))


def told(**fields: object) -> str:
    """Return the text of an INFO reply."""
    return "# Section\r\n" + "".join(f"{name}:{value}\r\n" for name, value in fields.items())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], peer: Peer) -> None:
        super().__init__(address, _Conversation)
        self.peer = peer


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while words := read_command(self.rfile):
            self.wfile.write(self.server.peer.answer(" ".join(words)))


def read_command(stream: BufferedIOBase) -> list[str]:
    """Return the words of the next command; none at the end."""
    head = stream.readline()
    words = []
    for _ in range(int(head[1:]) if head.startswith(b"*") else 0):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:-2].decode())
    return words
