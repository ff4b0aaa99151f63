"""From what the machines answered to the pre-flight table. Contacts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from redis_fleet.agent.messages.host_facts import HostFacts
from redis_fleet.model import Fleet, Process
from redis_fleet.rules import all_rules
from redis_fleet.rules.hosts.host import Answered, Check, HostReport, Row, host_checks
from redis_fleet.rules.hosts.system import NOT_REACHED
from redis_fleet.settings.shares import with_memory


def rows(fleet: Fleet, answers: Mapping[str, Mapping[str, Any]]) -> tuple[Row, ...]:
    """Return every row, machine by machine; one that could not be looked at has a single row that fails.

    ``answers`` are those of ``redis_fleet.agent.inspect.host_facts`` by machine, with ``asked`` and ``answered`` (the
    controller's time) in their ``clock``, or ``{"error": …}``.
    """
    read = {machine: _answered(each) for machine, each in answers.items()}
    fleet = with_memory(fleet, lambda process: _memory(read[process.machine], process))
    hosts = [HostReport(fleet, machine, read) for machine in fleet.machines]
    return tuple(_heard(fleet, row) for host in hosts for row in _of(host))


def _memory(answer: Answered | str, process: Process) -> int | None:
    """Return the bytes that a process may have at most; None where its machine could not be looked at."""
    if isinstance(answer, str):
        return None
    memory, unit = answer.facts.memory, answer.facts.units.get(process.unit, {}).get("MemoryMax", "")
    bounds = (memory.total, memory.limit, int(unit) if unit.isdecimal() else None)
    return min((each for each in bounds if each), default=None)


def _answered(answer: Mapping[str, Any]) -> Answered | str:
    if "error" in answer:
        return str(answer["error"])
    clock = dict(answer["clock"])
    asked, answered = clock.pop("asked"), clock.pop("answered")
    return Answered(HostFacts.from_json({**answer, "clock": clock}), asked, answered)


def _of(host: HostReport) -> Iterator[Row]:
    answer = host.answers[host.machine]
    if isinstance(answer, str):
        fix = "see its address, ssh (ansible_user, key, -k) and sudo (-K); then run this again"
        yield host.breaks("reached", answer, fix, NOT_REACHED)
        return
    for check in _checks():
        yield from check(host)


@cache
def _checks() -> tuple[Check, ...]:
    all_rules()
    return host_checks()


def _heard(fleet: Fleet, row: Row) -> Row:
    """Let a row pass whose rule the description silences, with the reason."""
    if row.state == "pass" or not row.rule:
        return row
    for silence in fleet.silences:
        if silence.covers(row.rule, row.path):
            return replace(row, state="pass", seen=f"{row.seen}; {row.rule} is silenced: {silence.reason}", fix="")
    return row


def counts(found: Sequence[Row]) -> dict[str, int]:
    """Return how many rows pass, warn and fail."""
    return {state: sum(row.state == state for row in found) for state in ("pass", "warn", "fail")}
