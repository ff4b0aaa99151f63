"""What a run tells the command line in front of it: JSON lines on a pipe whose number the environment names."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis_fleet.operations.ports import TimelineEvent

PIPE = "REDIS_FLEET_EVENTS"
ANSWERS = "REDIS_FLEET_ANSWERS"
TO_DEPLOY = "deploy"
"""What a plan is made for, where it is neither to confirm a deployment nor to find one master."""


def in_front() -> bool:
    """Say whether redis-fleet's own command line runs this play, and shows its results itself."""
    return PIPE in os.environ


def ask(question: str) -> bool:
    """Ask the command line in front and wait for its answer; no answer is a no."""
    emit("question", question=question)
    answers = os.environ.get(ANSWERS)
    return answers is not None and os.read(int(answers), 1) == b"y"


def tell(display: Any, event: TimelineEvent) -> None:
    """Tell an event of a drill or a switchover, to the command line in front or on Ansible's own display."""
    if in_front():
        emit("drill", at_ms=event.at_ms, text=event.text, kind=event.kind)
    else:
        display.display(f"{event.at_ms / 1000:8.1f} s  {event.text}")


def emit(kind: str, /, **fields: Any) -> None:
    """Tell an event; does nothing when nobody listens. A line is written whole, also from several processes."""
    pipe = os.environ.get(PIPE)
    if pipe is None:
        return
    data = (json.dumps({"event": kind, **fields}, default=str) + "\n").encode()
    try:
        os.write(int(pipe), data)
    except OSError:
        return
