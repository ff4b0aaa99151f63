"""What a user of a process may do, found out without doing any of it.

From 7.0 on ACL DRYRUN tells. Before, commands are queued in a transaction that can only be aborted: each is answered
by QUEUED or NOPERM, and nothing ever runs (tried on Redis 6.0 and 6.2; acl.c, multi.c).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from .. import access
from ..messages.client import Check
from ..messages.service import Instance, Login, ServiceAccess
from ..protocol.resp import Connection, Reply, ReplyError
from .view import CONNECTION_ERRORS, connect, describe_error, map_parallel
from .ways import way_to

_KEY = "redis-fleet:permission"
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("get", "del", "unlink", "exists", "type", "ttl", "pttl", "pfcount"), (_KEY,)),
    "set": (_KEY, "x"),
    "setbit": (_KEY, "0", "1"),
    "expire": (_KEY, "1"),
    "pexpire": (_KEY, "1"),
    "eval": ("return 1", "1", _KEY),
    "evalsha": ("0" * 40, "1", _KEY),
    "script|load": ("return 1",),
    "slaveof": ("NO", "ONE"),
    "replicaof": ("NO", "ONE"),
    "client": ("LIST",),
    "client|kill": ("TYPE", "normal"),
    "client|setname": ("x",),
    "client|pause": ("1",),
    "config|get": ("maxmemory",),
    "config|set": ("maxmemory", "0"),
    "psync": ("?", "-1"),
    "replconf": ("ack", "0"),
    "acl": ("SETUSER", "redis-fleet-nobody"),
    "sentinel": ("MASTERS",),
    "sentinel|is-master-down-by-addr": ("127.0.0.1", "1", "0", "*"),
    "echo": ("x",),
    "wait": ("0", "1"),
    "scan": ("0",),
    "subscribe": ("x",),
    "publish": ("x", "x"),
}
_OF_TRANSACTIONS = ("multi", "exec", "discard")
_REFUSED = "NOPERM"


_FINE = "it may do its work"


def checks(target: ServiceAccess, silent: Collection[str]) -> list[Check]:
    """Check that whoever logs in as a user of their own gets in, and may do all that it has to; not on the silent."""
    asked = [
        (node, login)
        for nodes, on_sentinels in ((target.members, False), (target.sentinels, True))
        for node in nodes
        for login in target.logins
        if login.on_sentinels == on_sentinels and node.id not in silent
    ]
    return map_parallel(lambda each: _check(target, *each), asked)


def _check(target: ServiceAccess, node: Instance, login: Login) -> Check:
    lacks = lacking(target, node, login)
    return Check(f"user {login.user}", node.id, not lacks, lacks or _FINE, _FINE)


def lacking(target: ServiceAccess, node: Instance, login: Login) -> str:
    """Say what a user cannot do of what it has to, in words; empty when it gets in and lacks nothing."""
    try:
        way = replace(target.access(node), endpoint=way_to(node), secret=login.password, user=login.user)
        with access.connect(way) as own:
            with connect(target, node) as ours:
                found = _dry(ours, login)
            if found is None:
                found = _queued(own, login)
    except CONNECTION_ERRORS as error:
        return describe_error(error)
    return f"it may not {', '.join(found)}" if found else ""


def _words(command: str, login: Login) -> tuple[str, ...]:
    given = _ARGUMENTS.get(command, ())
    if command in ("publish", "subscribe") and login.channels:
        given = (login.channels[0], *given[1:])
    return (*command.upper().split("|"), *given)


def _dry(ours: Connection, login: Login) -> list[str] | None:
    """Ask the process; None where it does not tell."""
    asked = [("ACL", "DRYRUN", login.user, *_words(each, login)) for each in login.commands]
    answers = ours.pipeline(asked)
    if answers and isinstance(answers[0], ReplyError):
        return None
    return [name for name, answer in zip(login.commands, answers) if answer != "OK"]


def _queued(own: Connection, login: Login) -> list[str]:
    """Queue the commands, spoil the transaction, and see who was refused.

    Who has no transactions can be tried by nothing but PING; observe/logins.py tells the rest from ACL LIST.
    """
    found = dict[str, Reply]()
    if "multi" not in login.commands:
        (found["ping"],) = own.pipeline([("PING",)])
    else:
        asked = [each for each in login.commands if each not in _OF_TRANSACTIONS]
        (found["multi"],) = own.pipeline([("MULTI",)])
        if found["multi"] != "OK":
            return ["multi"]
        found.update(zip(asked, own.pipeline([_words(each, login) for each in asked])))
        # One argument too few: whatever was queued, it is never run.
        _, found["exec"] = own.pipeline([("GET",), ("EXEC",)])
    if "discard" in login.commands:
        _, found["discard"] = own.pipeline([("MULTI",), ("DISCARD",)])
    return [name for name in login.commands if _REFUSED in str(found.get(name, ""))]
