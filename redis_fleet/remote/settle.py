"""Wait until everything on a machine is in step, then look at it; what is not in step in time is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from .hurry import DELAY, calm
from .look import look
from .resp import Connection

Answer = dict[str, Any]
_PAUSE = 0.1


def settle(request: Answer) -> Answer:
    """Look until nothing is amiss or ``timeout`` seconds have passed; the answer is that of ``look``, ``amiss``
    and ``calmed``, the servers that were hurried (see hurry.py) and are no longer.

    ``masters`` says for each monitor name how many ``replicas`` and other ``sentinels`` a Sentinel must know.
    """
    deadline = time.monotonic() + request["timeout"]
    while True:
        answer = look(request)
        answer["amiss"] = list(amiss(request, answer))
        if not answer["amiss"]:
            answer["calmed"] = [each["name"] for each in request["processes"] if _calm(each, answer)]
        if not answer["amiss"] or time.monotonic() > deadline:
            return answer
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
            yield from _sentinel(name, found["masters"], request["masters"])
        elif found["role"][0] != "master" and found["info"].get("master_link_status") != "up":
            yield f"{name} is not in step with its master (link {found['info'].get('master_link_status')})"


def _sentinel(name: str, views: Answer, masters: Answer) -> Iterator[str]:
    for master, wanted in masters.items():
        view = views.get(master)
        if view is None:
            yield f"{name} does not watch {master}"
            continue
        replicas, sentinels = _up(view["replicas"]), _up(view["sentinels"])
        if replicas < wanted["replicas"] or sentinels < wanted["sentinels"]:
            yield (
                f"{name} knows {replicas} of {wanted['replicas']} replicas of {master} "
                f"and {sentinels} of {wanted['sentinels']} other Sentinels"
            )
        elif not view["quorum"].startswith("OK"):
            yield f"{name} finds no quorum for {master}: {view['quorum']}"


def _up(rows: list[Answer]) -> int:
    return sum(1 for row in rows if not {"s_down", "o_down", "disconnected"} & set(row["flags"].split(",")))
