"""Connections to the servers of a service that are kept, and made again when they are lost."""

from __future__ import annotations

from .. import engine_words
from ..endpoint import place_of
from ..messages.service import Instance, ServiceAccess
from ..protocol.resp import Connection, Reply, ReplyError, info, pairs
from .agreement import name_of
from .view import connect

PRIORITY = "replica-priority"


class Servers:
    """The members of a target, by id; ``timeout`` (seconds) bounds each reply.

    Everything raises OSError or ReplyError. Within a promotion Sentinel cuts all connections of clients: a command
    whose connection was cut is sent once more, so only commands that may run twice go through ``call``.
    """

    def __init__(self, target: ServiceAccess, timeout: float = 1.0) -> None:
        """Keep the target; connects at the first command."""
        self._target = target
        self._timeout = timeout
        self._nodes = {node.id: node for node in target.members}
        self._connections: dict[str, Connection] = {}
        self._ready: dict[str, Connection] = {}

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (*self._connections.values(), *self._ready.values()):
            connection.close()

    def get_ready(self, *names: str) -> None:
        """Connect to members for one transaction each, so that nothing is waited for when it is time."""
        for name in names:
            if name not in self._ready:
                self._ready[name] = connect(self._target, self._nodes[name], self._timeout)

    def node(self, name: str) -> Instance:
        """Return where a member listens."""
        return self._nodes[name]

    def call(self, name: str, *words: object) -> Reply:
        """Send one command to a member."""
        try:
            return self._try(name, *words)
        except ConnectionError:
            return self._try(name, *words)

    def _try(self, name: str, *words: object) -> Reply:
        if name not in self._connections:
            self._connections[name] = connect(self._target, self._nodes[name], self._timeout)
        try:
            return self._connections[name].call(*words)
        except OSError:
            # After a timeout the reply would come as the one to the next command.
            self._drop(name)
            raise

    def _drop(self, name: str) -> None:
        self._connections.pop(name).close()

    def get(self, name: str, directive: str) -> str:
        """Return a running value."""
        return pairs(self.call(name, "CONFIG", "GET", directive))[directive]

    def set(self, name: str, directive: str, value: object) -> None:
        """Change a running value."""
        self.call(name, "CONFIG", "SET", directive, value)

    def rewrite(self, name: str) -> None:
        """Let a member write its file."""
        self.call(name, "CONFIG", "REWRITE")

    def is_master(self, name: str) -> bool:
        """Whether a member says that it is a master."""
        return engine_words.role(self.call(name, "ROLE")[0]) == engine_words.MASTER

    def follows(self, name: str) -> str:
        """Return the id (or the ``address:port``) that a member follows; empty for a master."""
        role = self.call(name, "ROLE")
        if engine_words.role(role[0]) == engine_words.MASTER:
            return ""
        return name_of(self._target, place_of(role[1], role[2]))

    def offset(self, name: str) -> int:
        """Return a member's own place in the stream of writes, bytes."""
        facts = info(self.call(name, "INFO", "replication"))
        is_master = engine_words.role(facts.get("role")) == engine_words.MASTER
        return int(engine_words.value(facts, "master_repl_offset" if is_master else "slave_repl_offset") or -1)

    def transaction(self, name: str, *commands: tuple[object, ...]) -> list[Reply]:
        """Run commands as one, over a connection of their own; an error of one of them stands in its place."""
        ready = self._ready.pop(name, None)
        with ready or connect(self._target, self._nodes[name], self._timeout) as connection:
            replies: list[Reply] = connection.calls(("MULTI",), *commands, ("EXEC",))[-1]
        return replies

    def repoint(self, name: str, master: str, *, cut: bool) -> str:
        """Make a member follow another (id), empty: nobody, and save that; ``cut`` its clients off, as Sentinel does.

        They then ask again who the master is. Returns why its file could not be saved, else nothing.
        """
        node = self._nodes[master] if master else None
        place = (node.announced.address, node.announced.port) if node else ("NO", "ONE")
        kill = [("CLIENT", "KILL", "TYPE", kind) for kind in ("normal", "pubsub")] if cut else []
        first, saved, *_ = self.transaction(name, ("REPLICAOF", *place), ("CONFIG", "REWRITE"), *kill)
        if isinstance(first, ReplyError):
            raise first
        return f"{name} could not save its file: {saved}" if isinstance(saved, ReplyError) else ""
