"""The ends of a move to users: replicas and Sentinels log in anew as theirs, and the default user is closed. Pure.

A connection that is open stays what it was when it logged in: who has moved is seen from CLIENT LIST, and who has not
is disconnected, one server after the other, while the old way in still works.
"""

from __future__ import annotations

from collections.abc import Iterator

from redis_fleet.agent.messages.orders import CloseDefault, Disconnect
from redis_fleet.agent.secret import MASK
from redis_fleet.catalogue.internal_users import PEER
from redis_fleet.model import Process, Service
from redis_fleet.observe.facts import ProcessFacts
from redis_fleet.observe.logins import DEFAULT
from redis_fleet.plan import users
from redis_fleet.plan.steps import Change, ChangeLive

_PROVED = "who is connected as it is disconnected: so it is seen now that the new one gets in, while the old one does"
_WHO = {"replica": "replicas", "sentinel": "Sentinels"}
_CLOSED = "clients that name no user are refused from now on, and disconnected"


def of_server(service: Service, process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    """Yield the steps for a server that runs."""
    masteruser = process.setting("masteruser")
    wanted = {"replica": masteruser.reveal()[0][0] if masteruser else ""}
    if service.sentinel_login:
        wanted["sentinel"] = service.sentinel_login.user
    for kind, user in wanted.items():
        if user in process.users.internal:
            yield from _anew(process, facts, kind, user)
    yield from _closing(process, facts)


def of_sentinel(process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    """Yield the steps for a Sentinel that runs."""
    if PEER in process.users.internal:
        yield from _anew(process, facts, "sentinel", PEER)
    yield from _closing(process, facts)


def _anew(process: Process, facts: ProcessFacts, kind: str, user: str) -> Iterator[ChangeLive]:
    others = tuple(found for what, found in facts.links if what == kind and found != user)
    if others:
        who = _WHO[kind]
        change = Change(f"{who} are logged in", f"as {user}", f"as {', '.join(others)}", reason=_PROVED)
        yield ChangeLive(
            process.machine,
            process.name,
            f"have {who} log in anew to {process.name}",
            _PROVED,
            stage="reconnect",
            changes=(change,),
            orders=(Disconnect(others, kind),),
        )


def _closing(process: Process, facts: ProcessFacts) -> Iterator[ChangeLive]:
    if process.users.default == "on" or facts.users is None or users.elsewhere(facts):
        return
    rules = users.described(process)[DEFAULT]
    stale = bool(facts.config.get("requirepass"))
    if not stale and not users.differs(facts, DEFAULT, rules):
        return
    changes = [Change(f"user {DEFAULT}", users.shown(rules), users.shown_of(facts, DEFAULT), reason=_CLOSED)]
    if stale:
        changes.append(Change("requirepass", "", MASK, reason=_CLOSED))
    yield ChangeLive(
        process.machine,
        process.name,
        f"close the default user of {process.name}",
        _CLOSED,
        stage="user_end",
        changes=tuple(changes),
        orders=(CloseDefault(rules), users.written(process)),
    )
