"""What is done to a running server to bring it to its description, as orders for agent/process/change.py. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redis_fleet.agent.messages.orders import DIRECTIVE, AppendOnly, Order, Rewrite, SecretRef, SetDirectives, Value
from redis_fleet.catalogue import values
from redis_fleet.model import Process
from redis_fleet.observe.facts import ProcessFacts
from redis_fleet.plan.diff import catalogue_of
from redis_fleet.plan.steps import Change, ChangeLive
from redis_fleet.rulebook import decides
from redis_fleet.rules import persistence

# How long a rewrite of the append only file or a snapshot may take, in seconds.
_PERSISTENCE_SECONDS = 3600


def live_step(process: Process, facts: ProcessFacts, changes: Sequence[Change]) -> ChangeLive:
    """Return the step that applies live changes to one server."""
    what = f"change {process.name} while it runs"
    return ChangeLive(
        process.machine,
        process.name,
        what,
        "; ".join(dict.fromkeys(change.reason for change in changes)),
        stage="live_masters" if facts.role_name == "master" else "live_replicas",
        changes=tuple(changes),
        orders=tuple(orders(process, facts, changes)),
        expect=facts.role_name,
    )


@decides(persistence.AOF_BY_FILE)
def orders(process: Process, facts: ProcessFacts, changes: Sequence[Change]) -> Iterator[Order]:
    """Yield what brings the running values to the described ones and then to the file.

    Data is never without a home in between: an append only file is complete before other persistence goes, and goes
    only when the rest is there.
    """
    running = [change for change in changes if change.where == "running"]
    pairs = tuple(_pair(process, facts, change) for change in running if change.directive != "appendonly")
    append = next((_pair(process, facts, each)[1] for each in running if each.directive == "appendonly"), None)
    if append == "yes":
        yield AppendOnly("yes", _PERSISTENCE_SECONDS)
    if pairs:
        yield SetDirectives(pairs)
    if append == "no":
        yield AppendOnly("no", _PERSISTENCE_SECONDS)
    yield Rewrite()


def _pair(process: Process, facts: ProcessFacts, change: Change) -> tuple[str, Value]:
    """Return the directive and the text that CONFIG SET takes."""
    directive = catalogue_of(facts).find(change.directive)
    assert directive is not None
    setting = process.setting(change.directive)
    # The server may know it only under its other name.
    name = directive.name if directive.name in facts.config or not directive.alias else directive.alias
    if setting is None:
        return name, directive.default or ""
    return name, SecretRef(DIRECTIVE, setting.name) if setting.secret else values.config_text(directive, setting.lines)
