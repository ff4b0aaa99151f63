"""Tells redis-fleet's command line what a play does, instead of printing it."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

from redis_fleet.ansible.events import emit

DOCUMENTATION = """
name: redis_fleet_front
type: stdout
short_description: Events for redis-fleet's command line
description: Writes one JSON line for each event to the pipe that the environment names.
"""
# What a result carries that the command line needs beside the message.
_KEYS = (
    "steps",
    "refusals",
    "refused",
    "notes",
    "masters",
    "checks",
    "report",
    "writes",
    "status",
    "troubles",
    "disturbs",
    "again",
    "run",
    "holder",
    "given",
)


_UNTOLD = ("include_tasks", "validate_argument_spec")


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """One event a play, task and result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "redis_fleet_front"

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play begins; it may yet turn out to have no hosts."""
        emit("play", name=play.get_name())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        """A task begins; that others are included, or a role's variables are what it wants, is nothing to tell."""
        if task.action.removeprefix("ansible.builtin.") not in _UNTOLD:
            emit("task", name=task.get_name())

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task succeeded on a host."""
        self._tell(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A task failed on a host."""
        if not ignore_errors:
            self._tell(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host could not be reached; whether that matters is for the next task to say where it was expected."""
        self._tell(result, "ignored" if result.task.ignore_unreachable else "unreachable")

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """One of several things that a task does succeeded."""
        self._tell(result, "ok")

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """One of them failed."""
        self._tell(result, "failed")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The run is over."""
        hosts = {host: stats.summarize(host) for host in stats.processed}
        emit("stats", hosts=hosts)

    def _tell(self, result: Any, status: str) -> None:
        told = result.result
        if "results" in told:
            # Each of them was told already.
            return
        data = {key: told[key] for key in _KEYS if key in told} if "redis_fleet" in result.task.action else {}
        emit(
            "result",
            host=result.host.get_name(),
            task=_named(result),
            action=result.task.action,
            status=status,
            changed=bool(told.get("changed")),
            message=str(told.get("msg", "")),
            purpose=str(told.get("purpose", "")),
            data=data,
        )


def _named(result: Any) -> str:
    """Return a task's name with its role, and with the values of the variables in it."""
    whole = str(result.task.get_name())
    return whole.removesuffix(result.task.name) + result.task_name if result.task.name else whole
