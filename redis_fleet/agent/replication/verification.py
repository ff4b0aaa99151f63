"""Proof that a service works: every check is made against the running processes and leaves nothing behind.

One failure gives one failed check: what only follows from it (a Sentinel that flags a server which did not answer here
either) is left out, so that the failed checks read as the list of causes.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import replace

from .. import access, engine_words
from ..messages.client import Check
from ..messages.service import Instance, MemberView, Peer, SentinelView, ServiceAccess
from ..protocol.resp import Connection, ReplyError, info, pairs
from . import permissions
from .agreement import acting, agreed_master, name_of
from .fitness import barred
from .health import DIRECTIVES, ENDS_AT_WRITE, troubles
from .view import (
    CONNECTION_ERRORS,
    connect,
    describe_error,
    map_parallel,
    member_view,
    members_view,
    sentinel_view,
    view,
)
from .ways import way_to

PAUSE = 0.1
WAIT_MS = 3000
CANARY_SECONDS = 60


def verify(target: ServiceAccess, patience: float = 12.0) -> list[Check]:
    """Return all checks of one service; a sick service gives failed checks, never an exception.

    ``patience`` (seconds) bounds each wait for what heals by itself: links, offsets, and what Sentinels know of
    replicas (they ask the master every 10 s).
    """
    return Verification(target, patience).run()


def outcome(check: str, subject: str, ok: bool, seen: object, expected: str) -> Check:
    """Return a check."""
    return Check(check, subject, ok, str(seen), expected)


def answers(target: ServiceAccess, node: Instance) -> Check:
    """Check that a process answers a client that has its password."""
    try:
        with connect(target, node) as connection:
            reply = str(connection.call("PING"))
    except CONNECTION_ERRORS as error:
        reply = describe_error(error)
    return outcome("answers", node.id, reply == "PONG", reply, "PONG")


def locked(target: ServiceAccess, node: Instance) -> Check:
    """Check that a process answers nobody without its password (a rewritten file can leave it open).

    It may let everybody ask for a PONG, if for nothing else.
    """
    try:
        with access.connect(replace(target.access(node), endpoint=way_to(node), secret=None)) as connection:
            connection.call("PING")
            connection.call("ROLE")
        code = "it answers without a password"
    except ReplyError as error:
        code = "NOAUTH" if error.code == "NOPERM" else error.code
    except CONNECTION_ERRORS as error:
        code = describe_error(error)
    return outcome("wants its password", node.id, code == "NOAUTH", code, "NOAUTH")


def read_only(target: ServiceAccess, node: Instance, key: str) -> Check:
    """Check that a replica refuses a write; the write is a DEL of a key that nobody has, harmless if it is accepted."""
    try:
        with connect(target, node) as connection:
            connection.call("DEL", key)
        code = "it accepts writes"
    except ReplyError as error:
        code = error.code
    except CONNECTION_ERRORS as error:
        code = describe_error(error)
    return outcome("refuses writes", node.id, code == "READONLY", code, "READONLY")


def _directive(connection: Connection, name: str) -> list[tuple[str, str]]:
    """Return a directive's name and value; none where the command has another name, or nobody may ask."""
    try:
        return list(pairs(connection.call("CONFIG", "GET", name)).items())
    except ReplyError:
        return []


class Verification:
    """One run over one service."""

    def __init__(self, target: ServiceAccess, patience: float) -> None:
        """Keep the target; nothing is asked yet."""
        self._target = target
        self._patience = patience
        self._key = f"redis-fleet:canary:{secrets.token_hex(8)}"
        self._checks: list[Check] = []
        self._silent: set[str] = set()
        external = target.external_master
        self._external = str(external) if external else ""

    def run(self) -> list[Check]:
        """Make all checks, in the order in which an operator would ask."""
        self._processes()
        everyone = members_view(self._target)
        members = [member for member in everyone if not member.problem]
        master = self._one_master(members)
        replicas = [self._node(member.id) for member in members if member.role == "replica"]
        linked = self._replication(replicas, master)
        self._checks += map_parallel(lambda node: read_only(self._target, node, f"{self._key}:refused"), replicas)
        self._checks += map_parallel(self._sound, [self._node(member.id) for member in members])
        self._checks += permissions.checks(self._target, self._silent)
        self._canary(master, linked)
        if self._target.monitor:
            self._successor(members)
            self._sentinels(self._external or (str(self._node(master).announced) if master else ""))
        return self._checks

    def _node(self, name: str) -> Instance:
        return next(node for node in self._target.instances if node.id == name)

    def _processes(self) -> None:
        target = self._target
        everyone = target.instances
        found = map_parallel(lambda node: answers(target, node), everyone)
        self._checks += found
        self._silent = {check.subject for check in found if not check.ok}
        guarded = [] if target.open else list(target.members)
        guarded += target.sentinels if target.sentinel_password is not None else []
        heard = [node for node in guarded if node.id not in self._silent]
        self._checks += map_parallel(lambda node: locked(target, node), heard)

    def _one_master(self, members: list[MemberView]) -> str:
        """Check that there is one master and return its id, else the one of several that the Sentinels name, or ""."""
        masters = acting(members)
        seen = ", ".join(masters) or "none"
        if self._external:
            expected = f"none here: the master is {self._external}"
            self._note("one master", self._target.service, not masters, seen, expected)
            return ""
        self._note("one master", self._target.service, len(masters) == 1, seen, "exactly one")
        if len(masters) == 1:
            return masters[0]
        named = name_of(self._target, agreed_master(view(self._target)))
        return named if named in masters else ""

    def _note(self, check: str, subject: str, ok: bool, seen: object, expected: str) -> None:
        self._checks.append(outcome(check, subject, ok, seen, expected))

    def _replication(self, replicas: list[Instance], master: str) -> list[Instance]:
        """Check every replica's link, master and offset; return those that the master itself feeds."""
        place, offset = self._external, 0
        if master:
            place = str(self._node(master).announced)
            offset = member_view(self._target, self._node(master)).offset
        fed = []
        for node, replica in map_parallel(lambda node: (node, self._settled(node, offset)), replicas):
            name, link = node.id, "up" if replica.link_up else replica.problem or "down"
            self._note("link to the master", name, replica.link_up, link, "up")
            right = replica.follows == place
            if place:
                self._note("follows the master", name, right, self._named(replica.follows), self._named(place))
            if replica.link_up and right and master:
                self._note("caught up", name, replica.offset >= offset, replica.offset, f"{offset} or more")
            if replica.link_up and right:
                fed.append(node)
        return fed

    def _successor(self, members: list[MemberView]) -> None:
        """Check that the Sentinels would find a replica to promote; one whose link is down is told by its own check."""
        replicas = [member for member in members if member.role == "replica"]
        fit = [member.id for member in replicas if not barred(member)]
        if replicas:
            self._note("may take over", self._target.service, bool(fit), ", ".join(fit) or "none", "one or more")

    def _sound(self, node: Instance) -> Check:
        """Check that a server saves, has room and is heard, as it says itself."""
        try:
            with connect(self._target, node) as connection:
                seen = info(connection.call("INFO"))
                config = {name: value for each in DIRECTIVES for name, value in _directive(connection, each)}
        except CONNECTION_ERRORS as error:
            return outcome("is sound", node.id, False, describe_error(error), "nothing is wrong")
        wrong = troubles("", seen, config, time.time(), saves=node.saves)
        said = "; ".join(each.what for each in wrong) or "nothing is wrong"
        made = outcome("is sound", node.id, not wrong, said, "nothing is wrong")
        return replace(made, codes=tuple(each.code for each in wrong))

    def _named(self, place: str) -> str:
        return name_of(self._target, place)

    def _settled(self, node: Instance, offset: int) -> MemberView:
        """Return a replica's view once it is linked and has the offset, or the last one after the patience."""
        deadline = time.monotonic() + self._patience
        while True:
            seen = member_view(self._target, node)
            if (seen.link_up and seen.offset >= offset) or time.monotonic() > deadline:
                return seen
            time.sleep(PAUSE)

    def _canary(self, master: str, linked: list[Instance]) -> None:
        """Write a key on the master, read it on the replicas that the master feeds, and remove it."""
        if self._external:
            why = "left out: the master is outside this deployment"
            self._note("canary", self._target.service, True, why, "left out")
        if not master:
            return
        ending = [check.subject for check in self._checks if ENDS_AT_WRITE in check.codes]
        if ending:
            why = f"left out: {', '.join(ending)} would end at a write"
            self._note("canary written", master, False, why, "OK")
            return
        value = secrets.token_hex(8)
        try:
            with connect(self._target, self._node(master)) as connection:
                try:
                    self._write_canary(connection, master, value, len(linked))
                    self._checks += map_parallel(lambda node: self._read_canary(node, value), linked)
                finally:
                    connection.call("DEL", self._key)
                left = connection.call("EXISTS", self._key)
                self._note("canary removed", master, left == 0, f"{left} left", "0 left")
        except CONNECTION_ERRORS as error:
            # Its time to live removes what could not be removed.
            begun = any(check.check == "canary written" for check in self._checks)
            self._note("canary removed" if begun else "canary written", master, False, describe_error(error), "OK")

    def _write_canary(self, connection: Connection, master: str, value: str, replicas: int) -> None:
        reply = connection.call("SET", self._key, value, "EX", CANARY_SECONDS)
        self._note("canary written", master, reply == "OK", reply, "OK")
        if replicas:
            confirmed = self._confirm(connection, replicas)
            expected = f"{replicas} replicas confirm"
            self._note("canary confirmed", master, confirmed >= replicas, f"{confirmed} replicas confirm", expected)

    def _confirm(self, connection: Connection, replicas: int) -> int:
        # In short waits: one long WAIT could outlast the connection's own timeout.
        confirmed = 0
        for _ in range(WAIT_MS // 500):
            confirmed = int(connection.call("WAIT", replicas, 500))
            if confirmed >= replicas:
                break
        return confirmed

    def _read_canary(self, node: Instance, value: str) -> Check:
        try:
            with connect(self._target, node) as connection:
                got = connection.call("GET", self._key)
            seen = "the canary" if got == value else "nothing" if got is None else "another value"
        except CONNECTION_ERRORS as error:
            seen = describe_error(error)
        return outcome("canary read", node.id, seen == "the canary", seen, "the canary")

    def _sentinels(self, master: str) -> None:
        watching = [node for node in self._target.sentinels if node.id not in self._silent]
        for checks in map_parallel(lambda node: self._patient_sentinel(node, master), watching):
            self._checks += checks

    def _patient_sentinel(self, node: Instance, master: str) -> list[Check]:
        deadline = time.monotonic() + self._patience
        while True:
            checks = self._sentinel(node, sentinel_view(self._target, node), master)
            if all(check.ok for check in checks) or time.monotonic() > deadline:
                return checks
            time.sleep(PAUSE)

    def _sentinel(self, node: Instance, seen: SentinelView, master: str) -> list[Check]:
        """Return the checks of what one Sentinel says; ``master`` empty: there is none to compare with."""
        name = node.id
        if seen.problem:
            return [outcome("watches the service", name, False, seen.problem, f"{self._target.monitor} is watched")]
        checks = []
        if master:
            named, wanted = self._named(seen.master), self._named(master)
            checks.append(outcome("names the master", name, named == wanted, named, wanted))
        replicas = {str(member.announced) for member in self._target.members} - {seen.master}
        known = {replica.place for replica in seen.replicas}
        checks.append(
            outcome("knows the replicas", name, known == replicas, self._list(known), self._list(replicas)),
        )
        others = len(self._target.sentinels) - 1
        checks.append(
            outcome("knows the Sentinels", name, len(seen.sentinels) == others, len(seen.sentinels), str(others)),
        )
        down = self._flagged(seen)
        checks.append(outcome("sees all up", name, not down, self._list(down), "none down"))
        checks.append(outcome("quorum", name, seen.quorum_ok, seen.quorum, "OK"))
        return checks

    def _flagged(self, seen: SentinelView) -> set[str]:
        """Return the places that a Sentinel holds for down although they answer here."""
        silent = {str(self._node(name).announced) for name in self._silent}
        peers = [Peer(seen.master, seen.flags), *seen.replicas, *seen.sentinels]
        return {peer.place for peer in peers if engine_words.any_of(peer.flags, engine_words.DOWN)} - silent

    def _list(self, places: set[str]) -> str:
        every = {str(node.announced): node.id for node in self._target.sentinels}
        return ", ".join(sorted(every.get(place, self._named(place)) for place in places)) or "none"
