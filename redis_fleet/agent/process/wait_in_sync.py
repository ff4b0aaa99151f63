"""Wait until everything on a machine is in step, then look at it; what is not in step in time is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ..inspect.observe import look_at_machine, look_at_processes
from ..protocol.resp import Connection, ReplyError
from .first_sync import DELAY, calm

Answer = dict[str, Any]
_PAUSE = 0.1
_TROUBLED = {"s_down", "o_down", "disconnected"}


def settle(request: Answer) -> Answer:
    """Look until nothing is amiss or ``timeout`` seconds have passed; the answer is that of ``look``, ``amiss``
    and ``calmed``, the servers that were hurried (see hurry.py) and are no longer.

    ``masters`` says for each monitor name how many ``replicas`` and other ``sentinels`` a Sentinel must know.
    """
    deadline = time.monotonic() + request["timeout"]
    while True:
        answer: Answer = {"processes": look_at_processes(request)}
        answer["amiss"] = list(amiss(request, answer))
        if not answer["amiss"]:
            answer["calmed"] = [each["name"] for each in request["processes"] if _calm(each, answer)]
        if not answer["amiss"] or time.monotonic() > deadline:
            return {**answer, **(look_at_machine(request) if request["supervised"] else {})}
        time.sleep(_PAUSE)


def _calm(process: Answer, answer: Answer) -> bool:
    """Slow a hurried master down again; the answer then shows what is in force now."""
    seen = answer["processes"][process["name"]].get("config", {})
    if not process["delay"] or seen.get(DELAY) in (None, process["delay"]):
        return False
    with Connection(process["address"], process["port"], process["password"]) as connection:
        calm(connection, process["delay"])
    seen[DELAY] = process["delay"]
    return True


def amiss(request: Answer, answer: Answer) -> Iterator[str]:
    """Yield what is not in step yet, one sentence each."""
    for wanted in request["processes"]:
        name, found = wanted["name"], answer["processes"][wanted["name"]]
        if not found["answers"]:
            yield f"{name} does not answer ({found['error']})"
        elif wanted["kind"] == "sentinel":
            yield from _sentinel(wanted, found["masters"], request["masters"])
        elif found["role"][0] != "master" and found["info"].get("master_link_status") != "up":
            yield f"{name} is not in step with its master (link {found['info'].get('master_link_status')})"


def _sentinel(process: Answer, views: Answer, masters: Answer) -> Iterator[str]:
    name = process["name"]
    for master, wanted in masters.items():
        view = views.get(master)
        if view is None:
            yield f"{name} does not watch {master}"
            continue
        replicas = sum(1 for row in view["replicas"] if not _TROUBLED & _flags(row))
        sentinels = sum(1 for row in view["sentinels"] if _linked(row, process["password"]))
        if replicas < wanted["replicas"] or sentinels < wanted["sentinels"]:
            yield (
                f"{name} knows {replicas} of {wanted['replicas']} replicas of {master} "
                f"and {sentinels} of {wanted['sentinels']} other Sentinels"
            )
        elif not view["quorum"].startswith("OK"):
            yield f"{name} finds no quorum for {master}: {view['quorum']}"


def _flags(row: Answer) -> set[str]:
    return set(row["flags"].split(","))


def _linked(row: Answer, password: str | None) -> bool:
    """Say whether another Sentinel is linked, or can be: one that started a moment later is tried again after a second.

    What that link needs is tried here: the port, and the password that all Sentinels share.
    """
    troubled = _TROUBLED & _flags(row)
    if troubled != {"disconnected"}:
        return not troubled
    try:
        with Connection(row["ip"], int(row["port"]), password) as peer:
            return bool(peer.call("PING") == "PONG")
    except (OSError, ReplyError):
        return False
