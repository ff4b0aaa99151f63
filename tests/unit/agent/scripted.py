"""A server on loopback that speaks RESP and plays a member of a service, with failures where a test wants them."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.messages.service import Instance
from tests.harness.peer import encoded, read_command

CUT = "cut"


@dataclass
class ScriptedMember:
    """One member; ``fails`` maps the beginning of a command to an error reply, or to CUT: done, but not answered.

    ``heard`` are all commands that change something, in the order in which they came. ``file`` is what was saved last.
    """

    name: str
    heard: list[tuple[str, str]]
    follows: Endpoint | None = None
    offset: int = 100
    config: dict[str, str] = field(
        default_factory=lambda: {
            "min-replicas-to-write": "0",
            "min-replicas-max-lag": "10",
            "replica-priority": "100",
        }
    )
    file: dict[str, str] = field(default_factory=dict)
    fails: dict[str, str] = field(default_factory=dict)
    on: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        """Listen."""
        peer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                peer.serve(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def instance(self) -> Instance:
        """Where it is, for a client."""
        return Instance(f"orders@{self.name}", self.name, Endpoint("127.0.0.1", self._server.server_address[1]))

    def close(self) -> None:
        """Listen no more; connections that there are stay."""
        self._server.shutdown()
        self._server.server_close()

    def serve(self, reader: Any, writer: Any) -> None:
        """Answer one client until it goes, or is cut off."""
        queued: list[list[str]] | None = None
        while words := read_command(reader):
            if words[0] == "MULTI":
                queued = []
                writer.write(b"+OK\r\n")
            elif words[0] == "EXEC":
                replies = [self._do(each) for each in queued or []]
                if b"" in replies:
                    return
                writer.write(b"*%d\r\n" % len(replies) + b"".join(replies))
                queued = None
            elif queued is not None:
                queued.append(words)
                writer.write(b"+QUEUED\r\n")
            else:
                reply = self._do(words)
                if not reply:
                    return
                writer.write(reply)

    def _do(self, words: list[str]) -> bytes:
        """Do one command; nothing is answered where the connection is to be cut."""
        line = " ".join(words)
        self.on(line)
        if words[0] not in ("INFO", "ROLE", "PING") and words[1:2] != ["GET"]:
            self.heard.append((self.name, line))
        failure = next((said for start, said in self.fails.items() if line.startswith(start)), "")
        if failure and failure != CUT:
            return f"-{failure}\r\n".encode()
        reply = self._reply(words)
        return b"" if failure else reply

    def _reply(self, words: list[str]) -> bytes:
        if words[0] == "INFO":
            return encoded(self._info())
        if words[0] == "ROLE":
            role = ["slave", self.follows.address, str(self.follows.port)] if self.follows else ["master", "0"]
            return encoded(role)
        if words[:2] == ["CONFIG", "GET"]:
            return encoded([words[2], self.config[words[2]]])
        if words[:2] == ["CONFIG", "SET"]:
            self.config[words[2]] = words[3]
        elif words[:2] == ["CONFIG", "REWRITE"]:
            self.file = dict(self.config)
        elif words[0] == "REPLICAOF":
            self.follows = None if words[1] == "NO" else Endpoint(words[1], int(words[2]))
        return b"+OK\r\n"

    def _info(self) -> str:
        if self.follows is None:
            return f"role:master\r\nmaster_repl_offset:{self.offset}\r\nloading:0\r\n"
        return (
            f"role:slave\r\nmaster_host:{self.follows.address}\r\nmaster_port:{self.follows.port}\r\n"
            f"master_link_status:up\r\nmaster_sync_in_progress:0\r\nslave_repl_offset:{self.offset}\r\n"
            f"slave_priority:{self.config['replica-priority']}\r\nloading:0\r\n"
        )
