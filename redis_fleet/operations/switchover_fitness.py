"""May the master be changed now, and who takes over: decisions about a view of the service. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace

from redis_fleet.agent.messages.service import MemberView, ServiceAccess, ServiceView
from redis_fleet.agent.replication.agreement import acting, master_of
from redis_fleet.agent.replication.findings import sentences
from redis_fleet.agent.replication.fitness import member_of, unfit
from redis_fleet.operations import failover_fitness as drill

_AGAIN = "put that right, or wait until it is, and run again"


@dataclass(frozen=True)
class Choice:
    """Who hands over to whom (ids), or ``why`` not, each a sentence that says what to do.

    ``new`` is ``old`` where the wanted one is the master already.
    """

    old: str = ""
    new: str = ""
    why: tuple[str, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """Whether it is already as wanted."""
        return not self.why and self.old == self.new


def decide(target: ServiceAccess, seen: ServiceView, to: str | None = None) -> Choice:
    """Decide about a switchover to a machine or process (id); None: to the fittest replica."""
    wanted = _named(target, to) if to else [node.id for node in target.members]
    if not wanted:
        places = ", ".join(f"{node.machine} ({node.id})" for node in target.members)
        return Choice(why=(f"{target.service} has no process on '{to}'; name one of {places}",))
    why = _service(target, seen)
    old = master_of(target, seen)
    if why:
        return Choice(old, why=tuple(why))
    if to and old in wanted:
        return Choice(old, old)
    return _among(target, seen, old, [name for name in wanted if name != old])


def _named(target: ServiceAccess, to: str) -> list[str]:
    return [node.id for node in target.members if to in (node.machine, node.id)]


def _among(target: ServiceAccess, seen: ServiceView, old: str, wanted: list[str]) -> Choice:
    reasons = {name: unfit(target, seen, old, name) for name in wanted}
    fit = [member for name in wanted if not reasons[name] and (member := member_of(seen, name))]
    if fit:
        return Choice(old, max(fit, key=_fitness).id)
    found = tuple(sentences(reason for name in wanted for reason in reasons[name]))
    return Choice(old, why=found or (f"{target.service} has no replica; add one to the description and deploy",))


def _fitness(member: MemberView) -> tuple[int, int]:
    """Return what makes one better: newer data, then the lower priority number; the first of equals is taken."""
    return member.offset, -member.priority


def _service(target: ServiceAccess, seen: ServiceView) -> list[str]:
    """Return what forbids any switchover, whoever takes over."""
    name = target.service
    if target.external_master:
        return [f"{name} follows a master outside this deployment; change that one where it belongs"]
    if len(target.members) < 2:
        return [f"{name} has no replica; add one to the description and deploy"]
    if target.monitor:
        return [f"{sentence}; {_AGAIN}" for sentence in sentences(drill.not_changeable(target, seen))]
    masters = acting(seen.members)
    if len(masters) > 1:
        return [f"{' and '.join(masters)} are both masters; make all but one a replica (REPLICAOF) and run again"]
    if not masters:
        return [f"no process of {name} answers as the master; start it, or 'promote' a replica where it is lost"]
    return []


def silent(seen: ServiceView) -> list[str]:
    """Return the ids of the members and Sentinels that do not answer: a switchover does not wait for them."""
    members = [member.id for member in seen.members if member.problem]
    return members + [sentinel.id for sentinel in seen.sentinels if sentinel.problem]


def overtaken(target: ServiceAccess, seen: ServiceView, old: str, new: str, *, elected: bool) -> str:
    """Return that the Sentinels have made another one the master meanwhile, in a sentence; empty: not so.

    Where nobody was elected, but a Sentinel failed over, others name the old master until they hear of it.
    """
    master = master_of(target, seen) if target.monitor else ""
    if master in ("", new) or (master == old and not elected) or master not in acting(seen.members):
        return ""
    return f"{master} is the master by now: the Sentinels failed over from {new}"


def disagreements(target: ServiceAccess, seen: ServiceView, master: str, absent: list[str]) -> list[str]:
    """Return what is not yet as it should be under the new master (id), but for what did not answer before."""
    present = replace(target, members=tuple(node for node in target.members if node.id not in absent))
    heard = replace(seen, sentinels=tuple(one for one in seen.sentinels if one.id not in absent))
    found = drill.disagreements(present, heard, master)
    ended = not target.monitor or drill.failover_ended(target, seen, master)
    return found if ended else [*found, "a Sentinel still leads the failover"]
