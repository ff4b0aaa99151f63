"""A wire between two servers that can go silent: nothing passes any more, and nobody is told."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

_PIECE = 65536


class Wire:
    """Listens on ``port`` of loopback and passes everything to another port and back, until it falls silent.

    That is what a broken network looks like to both ends: connections stay open and carry nothing. What was on its way
    is lost when the wire is left, as it is with a machine that dies behind a broken network.
    """

    def __init__(self, to: int) -> None:
        """Listen; ``to`` is the port on loopback at the other end."""
        self._to = to
        self._silent = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="wire", daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.silence()
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(5)

    def silence(self) -> None:
        """Let nothing pass from now on."""
        self._silent.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                self._ends.append(near)
                if not self._silent.is_set():
                    far = socket.create_connection(("127.0.0.1", self._to))
                    self._ends.append(far)
                    self._pass(near, far)
                    self._pass(far, near)
            except OSError:
                if self._listener.fileno() < 0 or self._silent.is_set():
                    return

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        thread = threading.Thread(target=self._carry, args=(source, sink), name="wire", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if not self._silent.is_set():
                    sink.sendall(piece)
            if not self._silent.is_set():
                sink.shutdown(socket.SHUT_RDWR)
