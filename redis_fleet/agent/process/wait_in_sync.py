"""Wait until everything on a machine is in step, then look at it; what is not in step in time is named."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from .. import engine_words
from ..access import Access, connect
from ..endpoint import Endpoint
from ..host import memory
from ..inspect.observe import host_state, observe_processes
from ..messages.observation import MasterView, Observation, ProcessFacts, Text
from ..messages.process import ManagedProcess
from ..messages.running import InSync, Peers, WaitInSync
from ..protocol.resp import ReplyError
from .first_sync import DELAY, restore_sync_delay

_PAUSE = 0.1


def wait_in_sync(request: WaitInSync) -> InSync:
    """Look until nothing is amiss or the time is up; servers without a delay get theirs back, see first_sync.py."""
    deadline = time.monotonic() + request.timeout
    while True:
        found = observe_processes(request.processes, request.sensitive, supervised=request.host is not None)
        wrong = tuple(amiss(request.processes, request.masters, found))
        if not wrong or time.monotonic() > deadline:
            break
        time.sleep(_PAUSE)
    restored = [] if wrong else [each for each in request.processes if _restore(each, request.delays, found[each.name])]
    for each in restored:
        facts = found[each.name]
        found[each.name] = replace(facts, config={**facts.config, DELAY: request.delays[each.name]})
    host = host_state(request.host) if request.host else None
    return InSync(Observation(found, host, memory=memory.usable()), wrong, tuple(each.name for each in restored))


def _restore(process: ManagedProcess, delays: Mapping[str, str], facts: ProcessFacts) -> bool:
    """Give a server the described delay; says whether it had another."""
    delay = delays.get(process.name, "")
    if not delay or facts.config.get(DELAY) in (None, delay):
        return False
    with connect(process.access) as connection:
        restore_sync_delay(connection, delay)
    return True


def amiss(
    processes: Sequence[ManagedProcess], masters: Mapping[str, Peers], found: Mapping[str, ProcessFacts]
) -> Iterator[str]:
    """Yield what is not in step yet, one sentence each."""
    for process in processes:
        name, facts = process.name, found[process.name]
        if not facts.answers:
            yield f"{name} does not answer ({facts.error})"
        elif process.kind.monitors:
            yield from _monitor(process, facts.masters, masters)
        elif facts.role_name != engine_words.MASTER and engine_words.value(facts.info, "master_link_status") != "up":
            yield f"{name} is not in step with its master (link {engine_words.value(facts.info, 'master_link_status')})"


def _monitor(process: ManagedProcess, views: Mapping[str, MasterView], masters: Mapping[str, Peers]) -> Iterator[str]:
    name = process.name
    for master, wanted in masters.items():
        view = views.get(master)
        if view is None:
            yield f"{name} does not watch {master}"
            continue
        replicas = sum(
            1
            for row in view.replicas
            if not engine_words.any_of(engine_words.flags(row["flags"]), engine_words.UNREACHED)
        )
        sentinels = sum(1 for row in view.sentinels if _linked(row, process.access))
        if replicas < wanted.replicas or sentinels < wanted.sentinels:
            yield (
                f"{name} knows {replicas} of {wanted.replicas} replicas of {master} "
                f"and {sentinels} of {wanted.sentinels} other Sentinels"
            )
        elif not view.quorum.startswith("OK"):
            yield f"{name} finds no quorum for {master}: {view.quorum}"


def _linked(row: Text, own: Access) -> bool:
    """Say whether another Sentinel is linked, or can be: one that started a moment later is tried again after a second.

    What that link needs is tried here: the port, and the password that all Sentinels share.
    """
    troubled = engine_words.UNREACHED & engine_words.flags(row["flags"])
    if troubled != {engine_words.DISCONNECTED}:
        return not troubled
    try:
        with connect(replace(own, endpoint=Endpoint(row["ip"], int(row["port"])))) as peer:
            return bool(peer.call("PING") == "PONG")
    except (OSError, ReplyError):
        return False
