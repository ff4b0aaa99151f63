"""Who is the master? What the Sentinels agree on; without Sentinels what replicates; only then the description.

Anything that leaves a doubt (no majority, two masters, a failover under way) is a reason to stop.
"""

from __future__ import annotations

from dataclasses import replace

from redis_fleet.model import Endpoint, Fleet, Process, Service
from redis_fleet.observe.facts import MasterView, Observed, ProcessFacts
from redis_fleet.plan.steps import Agreement

_UNDER_WAY = {"failover_in_progress", "promoted", "reconf_sent", "reconf_inprog"}


def agree(fleet: Fleet, service: Service, seen: Observed) -> Agreement:
    """Return the agreed master of a service, or why there is none."""
    agreement = _agree(fleet, service, seen)
    machine = next((each.machine for each in service.processes if each.endpoint == agreement.master), "")
    return replace(agreement, machine=machine)


def _agree(fleet: Fleet, service: Service, seen: Observed) -> Agreement:
    if service.external:
        return _confirmed(service, seen, Agreement(service.external, "the description: a master outside this file"))
    if is_new(fleet, service, seen):
        return _from_description(service)
    if service.watch and any(seen.of(each).started_once for each in fleet.sentinels):
        agreement = _from_sentinels(fleet, service, seen)
    else:
        agreement = _from_replication(service, seen)
    return agreement if agreement.why or agreement.master is None else _confirmed(service, seen, agreement)


def is_new(fleet: Fleet, service: Service, seen: Observed) -> bool:
    """Say whether a service is still to be deployed: nothing of it holds a key, was failed over or has to be adopted.

    A first deployment that was interrupted still counts as new, so that the next run finishes it, with what the
    description says by then: a setting may have been what kept the first start from succeeding.
    """
    facts = {process: seen.of(process) for process in service.processes}
    if service.watch and any(seen.of(each).watches(service.watch.name) for each in fleet.sentinels):
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
    return Agreement(first.endpoint if first else None, "the description: nothing of this service runs yet")


def majority(count: int) -> int:
    """Return how many of ``count`` Sentinels are a majority."""
    return count // 2 + 1


def _from_sentinels(fleet: Fleet, service: Service, seen: Observed) -> Agreement:
    assert service.watch is not None
    name = service.watch.name
    started = [each for each in fleet.sentinels if seen.of(each).started_once]
    answering = [each for each in started if seen.of(each).answers]
    views = {each.id: seen.of(each).masters[name] for each in answering if name in seen.of(each).masters}
    # Those that the Sentinels know count too: a machine that lost its files was part of the majority.
    count = max(len(started), *(1 + len(view.sentinels) for view in views.values()), 0)
    if len(answering) < majority(count):
        silent = [each for each in fleet.sentinels if each not in answering]
        return Agreement(None, "", (_too_few(service, seen, silent, len(answering), count),))
    if not views:
        return Agreement(None, "", (f"{service.name}: no Sentinel watches '{name}'; this cannot be changed yet",))
    return _unanimous(service, views, len(answering), len(started))


def _too_few(service: Service, seen: Observed, silent: list[Process], answering: int, count: int) -> str:
    named = ", ".join(f"{each.id} ({_why_silent(seen.of(each))})" for each in silent)
    return (
        f"{service.name}: only {answering} of {count} Sentinels answer and {majority(count)} are needed to know the "
        f"master; start or repair {named}"
    )


def _why_silent(facts: ProcessFacts) -> str:
    return facts.error or ("not reached" if facts.deployed else "not deployed")


def _unanimous(service: Service, views: dict[str, MasterView], answering: int, started: int) -> Agreement:
    under_way = sorted(each for each, view in views.items() if view.flags & _UNDER_WAY)
    if under_way:
        why = f"{service.name}: a failover is under way ({', '.join(under_way)}); run again when it has ended"
        return Agreement(None, "", (why,))
    told: dict[Endpoint, list[str]] = {}
    for each, view in views.items():
        told.setdefault(view.endpoint, []).append(each)
    if len(told) > 1:
        each_says = " and ".join(f"{', '.join(who)} say {endpoint}" for endpoint, who in told.items())
        why = f"{service.name}: the Sentinels do not agree on the master, {each_says}; run again when they do"
        return Agreement(None, "", (why,))
    return Agreement(next(iter(told)), f"{answering} of {started} Sentinels")


def _from_replication(service: Service, seen: Observed) -> Agreement:
    running = [each for each in service.processes if seen.of(each).answers]
    masters = [each for each in running if seen.of(each).role_name == "master"]
    if len(masters) > 1:
        names = " and ".join(each.id for each in masters)
        why = f"{service.name}: {names} are both masters; make one a replica (REPLICAOF) and run again"
        return Agreement(None, "", (why,))
    if masters:
        return Agreement(masters[0].endpoint, f"{masters[0].id} is the only master that runs")
    followed = {target for each in running if (target := seen.of(each).follows)}
    if len(followed) == 1:
        return Agreement(followed.pop(), "every running replica follows it")
    return _from_files(service, seen) if not running else _unknown(service)


def _from_files(service: Service, seen: Observed) -> Agreement:
    """Nothing runs: the files say how each process last was."""
    masters = [each for each in service.processes if seen.of(each).deployed and not seen.of(each).follows_by_file]
    if len(masters) == 1:
        return Agreement(masters[0].endpoint, f"nothing runs, and by the files {masters[0].id} was the master")
    return _unknown(service)


def _unknown(service: Service) -> Agreement:
    why = f"{service.name}: nobody says who the master is; start the process with the newest data by hand and run again"
    return Agreement(None, "", (why,))


def _confirmed(service: Service, seen: Observed, agreement: Agreement) -> Agreement:
    """Hold what was agreed against what the processes themselves say."""
    why = []
    endpoints = {each.endpoint: each for each in service.processes}
    master = agreement.master
    assert master is not None
    wait = "run again when Sentinel has put it right"
    remedy = wait if service.watch else f"REPLICAOF {master.address} {master.port} puts it right"
    if master not in endpoints and not service.external:
        what = f"the master is {master}, which is not in this file"
        why.append(f"{service.name}: {what}; add that machine, or fail over to one that is")
    for process in service.processes:
        facts = seen.of(process)
        if not facts.answers:
            continue
        if process.endpoint == agreement.master and facts.role_name != "master":
            why.append(f"{service.name}: {process.id} should be the master and is a {facts.role_name}; {wait}")
        elif process.endpoint != agreement.master and facts.role_name == "master":
            why.append(f"{service.name}: {process.id} acts as a master beside {master}; {remedy}")
        elif agreement.master not in (process.endpoint, facts.follows):
            why.append(f"{service.name}: {process.id} follows {facts.follows}, not {master}; {remedy}")
    return Agreement(None, agreement.source, tuple(why)) if why else agreement
