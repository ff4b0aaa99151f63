"""Who is the master? What the Sentinels agree on; without Sentinels what replicates; only then the description.

Anything that leaves a doubt (no majority, two masters, a failover under way) is a reason to stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from redis_fleet import kinds
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.agent.replication import agreement
from redis_fleet.agent.replication.fence import FENCE
from redis_fleet.model import Fleet, Process, Service
from redis_fleet.observe.facts import MasterView, Observed, ProcessFacts
from redis_fleet.observe.votes import votes
from redis_fleet.plan.plan import Agreement
from redis_fleet.plan.refusal import Code, Refusal


def members(service: Service, seen: Observed) -> tuple[Process, ...]:
    """Return the processes of a service: the described ones, then those that run and were taken out of the file."""
    leaving = (each.process for each in seen.strangers if each.runs and each.process.service == service.name)
    return (*service.processes, *leaving)


def agree(fleet: Fleet, service: Service, seen: Observed) -> Agreement:
    """Return the agreed master of a service, or why there is none."""
    agreed = _agree(fleet, service, seen)
    machine = next((each.machine for each in members(service, seen) if each.announced == agreed.master), "")
    return replace(agreed, machine=machine)


def _agree(fleet: Fleet, service: Service, seen: Observed) -> Agreement:
    if service.external:
        return _confirmed(service, seen, Agreement(service.external, "the description: a master outside this file"))
    if is_new(fleet, service, seen):
        return _from_description(service)
    if service.watch and any(seen.of(each).watches(service.watch.name) for each in fleet.sentinels):
        agreed = _from_sentinels(fleet, service, seen)
    else:
        agreed = _from_replication(service, seen)
    return agreed if agreed.why or agreed.master is None else _confirmed(service, seen, agreed)


def is_new(fleet: Fleet, service: Service, seen: Observed) -> bool:
    """Say whether a service is still to be deployed: nothing of it holds a key, was failed over or has to be adopted.

    A first deployment that was interrupted still counts as new, so that the next run finishes it, with what the
    description says by then: a setting may have been what kept the first start from succeeding.
    """
    facts = {process: seen.of(process) for process in service.processes}
    if service.watch and any(seen.of(each).watches(service.watch.name) for each in fleet.sentinels):
        return False
    if any(each.process.service == service.name and (each.runs or each.enabled) for each in seen.strangers):
        # It moves to other machines: what holds its keys is about to leave the description.
        return False
    if all(not each.deployed and not each.answers for each in facts.values()):
        return True
    started = {process: each for process, each in facts.items() if each.started_once}
    return (
        any(not each.started_once for each in facts.values())
        and all(each.answers and each.keys == 0 for each in started.values())
        and all((each.role_name == "master") == (process.follows is None) for process, each in started.items())
    )


def _from_description(service: Service) -> Agreement:
    first = service.first_master
    return Agreement(first.announced if first else None, "the description: nothing of this service runs yet")


def _from_sentinels(fleet: Fleet, service: Service, seen: Observed) -> Agreement:
    assert service.watch is not None
    name = service.watch.name
    # Those that are to leave are still asked: until they are stopped they take part in every decision.
    leaving = [each.process for each in seen.strangers if each.runs and kinds.of(each.process).watches]
    started = [each for each in (*fleet.sentinels, *leaving) if seen.of(each).started_once]
    answering = [each for each in started if seen.of(each).answers]
    views = [seen.of(each).masters[name] for each in answering if name in seen.of(each).masters]
    # Those that the Sentinels know count too: a machine that lost its files was part of the majority.
    # One that was written and never started has had no vote yet.
    everyone = [*fleet.sentinels, *(each.process for each in seen.strangers if kinds.of(each.process).watches)]
    fresh = {each.announced for each in everyone if seen.of(each).deployed and not seen.of(each).started_once}
    count = max(len(started), *(1 + _voters(view, fresh) for view in views), 0)
    verdict = agreement.count(votes(seen, answering, name), len(answering), count)
    if verdict.code == agreement.TOO_FEW:
        silent = [each for each in fleet.sentinels if each not in answering]
        return Agreement(None, "", (_too_few(service, seen, silent, len(answering), count),))
    if verdict.code == agreement.NOBODY:
        return _from_replication(service, seen)
    return _unanimous(service, verdict, f"{len(answering)} of {len(started)} Sentinels")


def _voters(view: MasterView, fresh: set[Endpoint]) -> int:
    """Return how many other Sentinels take part in a decision, by what one of them knows."""
    return sum(1 for row in view.sentinels if "ip" not in row or Endpoint(row["ip"], int(row["port"])) not in fresh)


def _too_few(service: Service, seen: Observed, silent: list[Process], answering: int, count: int) -> Refusal:
    named = ", ".join(f"{each.id} ({_why_silent(seen.of(each))})" for each in silent)
    needed = agreement.majority(count)
    what = f"only {answering} of {count} Sentinels answer and {needed} are needed to know the master"
    return Refusal("no-majority", service.name, what, f"start or repair {named}")


def _why_silent(facts: ProcessFacts) -> str:
    return facts.error or ("not reached" if facts.deployed else "not deployed")


def _unanimous(service: Service, verdict: agreement.Verdict, source: str) -> Agreement:
    if verdict.code == agreement.FAILING_OVER:
        what = f"a failover is under way ({', '.join(sorted(verdict.failing_over))})"
        return _transient(service, "failover-under-way", what, "run again when it has ended")
    if verdict.code == agreement.DIVIDED:
        each_says = " and ".join(f"{', '.join(who)} say {place}" for place, who in verdict.named.items())
        what = f"the Sentinels do not agree on the master, {each_says}"
        return _transient(service, "sentinels-disagree", what, "run again when they do")
    return Agreement(Endpoint.parse(verdict.unanimous), source)


def _transient(service: Service, code: Code, what: str, remedy: str) -> Agreement:
    return Agreement(None, "", (Refusal(code, service.name, what, remedy, transient=True),))


def _from_replication(service: Service, seen: Observed) -> Agreement:
    running = [each for each in members(service, seen) if seen.of(each).answers]
    masters = [each for each in running if seen.of(each).role_name == "master"]
    if len(masters) > 1:
        # The fence of a switchover that was killed tells which one had handed over already.
        masters = [each for each in masters if not _fenced(seen.of(each))] or masters
    recorded = seen.record(service.name)
    if recorded in {each.announced for each in masters}:
        return Agreement(recorded, "it was made the master by redis-fleet")
    if len(masters) > 1:
        names = " and ".join(each.id for each in masters)
        what, remedy = f"{names} are both masters", "make one a replica (REPLICAOF) and run again"
        return Agreement(None, "", (Refusal("two-masters", service.name, what, remedy),))
    if masters:
        return Agreement(masters[0].announced, f"{masters[0].id} is the only master that runs")
    followed = {target for each in running if (target := seen.of(each).follows)}
    if len(followed) == 1:
        return Agreement(followed.pop(), "every running replica follows it")
    return _from_files(service, seen) if not running else _unknown(service)


def _from_files(service: Service, seen: Observed) -> Agreement:
    """Nothing runs: what was done by hand, else the files say how each process last was."""
    recorded = seen.record(service.name)
    if recorded in {each.announced for each in service.processes if seen.of(each).deployed}:
        return Agreement(recorded, "nothing runs, and it was made the master by redis-fleet")
    masters = [each for each in service.processes if seen.of(each).deployed and not seen.of(each).follows_by_file]
    if len(masters) == 1:
        return Agreement(masters[0].announced, f"nothing runs, and by the files {masters[0].id} was the master")
    return _unknown(service)


def _unknown(service: Service) -> Agreement:
    remedy = "start the process with the newest data by hand and run again"
    return Agreement(None, "", (Refusal("master-unknown", service.name, "nobody says who the master is", remedy),))


def astray(service: Service, process: Process, facts: ProcessFacts, seen: Observed, master: Endpoint) -> str:
    """Say why a process that acts as a master, or follows another one, is only the rest of a change of master that
    redis-fleet itself began, so that it may be made a replica of ``master``; empty when it is not.

    Either the fence of a switchover that was killed still keeps all writes off it, or another was made the master by
    redis-fleet, without Sentinels, while it was down.
    """
    if process.announced == master or not facts.answers or facts.follows == master:
        return ""
    if facts.role_name == "master" and _fenced(facts):
        return f"a switchover to {master} was killed before it was a replica of it; its fence kept all writes off"
    above = next((each for each in members(service, seen) if each.announced == facts.follows), None)
    if service.watch is None and above and _fenced(seen.of(above)):
        return f"a switchover to {master} was killed before it followed it; {above.id} is fenced and has nothing newer"
    if service.watch is None and service.external is None and seen.record(service.name) == master:
        return f"redis-fleet made {master} the master while this one was away"
    return ""


def _fenced(facts: ProcessFacts) -> bool:
    return facts.config.get("min-replicas-to-write", facts.config.get("min-slaves-to-write")) == str(FENCE)


def _confirmed(service: Service, seen: Observed, agreed: Agreement) -> Agreement:
    """Hold what was agreed against what the processes themselves say."""
    why = []
    everyone = members(service, seen)
    master = agreed.master
    assert master is not None
    described = master in {each.announced for each in everyone} or service.external
    if not described:
        what = f"the master is {master}, which is not in this file"
        remedy = "add that machine, or fail over to one that is"
        why.append(Refusal("master-undescribed", service.name, what, remedy))
    for process in everyone:
        facts = seen.of(process)
        if facts.answers and not astray(service, process, facts, seen, master):
            why += _contradiction(service, process, facts, master, transient=bool(described and service.watch))
    return Agreement(None, agreed.source, tuple(why)) if why else agreed


def _contradiction(
    service: Service, process: Process, facts: ProcessFacts, master: Endpoint, *, transient: bool
) -> Iterator[Refusal]:
    wait = "run again when Sentinel has put it right"
    remedy = wait if service.watch else f"REPLICAOF {master.address} {master.port} puts it right"
    if process.announced == master and facts.role_name != "master":
        what = f"{process.id} should be the master and is a {facts.role_name}"
        yield Refusal("master-is-replica", service.name, what, wait, transient=transient)
    elif process.announced != master and facts.role_name == "master":
        what = f"{process.id} acts as a master beside {master}"
        yield Refusal("second-master", service.name, what, remedy, transient=transient)
    elif master not in (process.announced, facts.follows):
        what = f"{process.id} follows {facts.follows}, not {master}"
        yield Refusal("other-master", service.name, what, remedy, transient=transient)
