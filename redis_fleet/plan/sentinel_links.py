"""Do the Sentinels that answer the controller hear each other? It reaches them all by a way that clients do not take.

Two that run and do not hear each other are on two sides of a cut network: whatever happens next, an election among
them may come to nothing, or to another master than the one that they name now.
"""

from __future__ import annotations

from redis_fleet.agent import engine_words
from redis_fleet.agent.endpoint import Endpoint
from redis_fleet.model import Fleet, Service
from redis_fleet.observe.facts import Observed
from redis_fleet.plan.passwords import password_differs


def unheard(fleet: Fleet, service: Service, seen: Observed) -> str:
    """Say which Sentinels of a service run and are not heard by which others; empty when all hear each other.

    Those that give each other a wrong password are none of it: the run that brings the right one must go on.
    """
    answering = [each for each in fleet.sentinels if seen.of(each).answers]
    if service.watch is None or any(password_differs(each, seen.of(each)) for each in answering):
        return ""
    alive = {each.endpoint: each.id for each in answering}
    said = []
    for process in answering:
        view = seen.of(process).masters.get(service.watch.name)
        rows = view.sentinels if view else ()
        # Not those that are only disconnected: so is one that started a moment ago, or just changed its password.
        lost = {
            Endpoint(row["ip"], int(row["port"]))
            for row in rows
            if engine_words.any_of(engine_words.flags(row["flags"]), engine_words.DOWN)
        }
        named = [alive[where] for where in lost if where in alive]
        if named:
            said.append(f"{process.id} does not hear {', '.join(sorted(named))}")
    if not said:
        return ""
    return f"{service.name}: {'; '.join(said)}, though all of them run; mend the network between them and run again"
