"""From what the machines answered to the pre-flight table. Contacts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from redis_fleet.model import Fleet
from redis_fleet.preflight import disks, kernel, memory, network, system
from redis_fleet.preflight.rows import Answer, Check, Row, Site

CHECKS: tuple[Check, ...] = (
    *system.CHECKS,
    *network.CHECKS,
    *memory.CHECKS,
    *disks.CHECKS,
    *kernel.CHECKS,
)


def rows(fleet: Fleet, answers: Mapping[str, Answer]) -> tuple[Row, ...]:
    """Return every row, machine by machine; one that could not be looked at has a single row that fails.

    ``answers`` are those of ``redis_fleet.agent.inspect.host_facts`` by machine, with ``asked`` and ``answered`` (the
    controller's time) in their ``clock``, or ``{"error": …}``.
    """
    sites = [Site(fleet, machine, answers) for machine in fleet.machines]
    return tuple(_heard(fleet, row) for site in sites for row in _of(site))


def _of(site: Site) -> Iterator[Row]:
    if "error" in site.answer:
        fix = "see its address, ssh (ansible_user, key, -k) and sudo (-K); then run this again"
        yield site.fail("reached", str(site.answer["error"]), fix, "E30")
        return
    for check in CHECKS:
        yield from check(site)


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
