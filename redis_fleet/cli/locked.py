"""Runs that take the lock of a deployment: what fails or is interrupted gives it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from redis_fleet.cli.playbook_runner import Event, Options, Run, play


def play_locked(
    name: str,
    file: Path,
    options: Options,
    follow: Callable[[Event], None],
    variables: Mapping[str, Any] | None = None,
    answer: Callable[[], bool] = lambda: False,
) -> Run:
    """Do what ``play`` does; a lock that the run has at its end is given back, with its failures in the journals.

    A run that fails does not come to its last play. Also raises KeyboardInterrupt, after that.
    """
    locked: dict[str, str] = {}

    def note(event: Event) -> None:
        if event["event"] == "locked":
            locked[event["machine"]] = event["run"]
        elif event["event"] == "unlocked":
            locked.pop(event["machine"], None)
        follow(event)

    try:
        run = play(name, file, options, note, variables, answer)
    except KeyboardInterrupt:
        _all_back(file, options, follow, locked, "interrupted")
        raise
    run.failures += _all_back(file, options, follow, locked, "\n".join(dict.fromkeys(run.failures)))
    return run


def _all_back(
    file: Path, options: Options, follow: Callable[[Event], None], locked: Mapping[str, str], message: str
) -> list[str]:
    failures = [each for run in set(locked.values()) for each in give_back(file, options, follow, run, message)]
    return [f"the lock is not given back everywhere: redis-fleet unlock {file}"] if failures else []


def give_back(
    file: Path, options: Options, follow: Callable[[Event], None], run: str, message: str = "unlocked by hand"
) -> list[str]:
    """End a run (an id; empty: whichever holds the lock) as a failed one on every machine; returns what went wrong.

    Whoever has taken the lock since then keeps it.
    """
    return play("unlock", file, options, follow, {"redis_fleet_run": run, "redis_fleet_message": message}).failures
