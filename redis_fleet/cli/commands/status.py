"""status: a table of what runs."""

from __future__ import annotations

from typing import Any

import typer

from redis_fleet.agent.replication.health import Trouble
from redis_fleet.cli.common import FAILED, end
from redis_fleet.cli.context import Call, on_machines


@on_machines
def status(call: Call) -> None:
    """Show every process: role, version, link, lag, last save, AOF, and which Sentinels agree. Changes nothing.

    What is wrong although they run stands below the table: saves that fail, full memory, replicas and Sentinels out of
    step. Exit code 1 when a process is down or anything is wrong.
    """
    screen = call.screen
    run = call.play("status")
    found = run.data.get("redis_fleet_status", {})
    rows, wrong = found.get("status", []), found.get("troubles", [])
    sound = bool(rows) and all(row["up"] for row in rows) and not wrong
    screen.json({"ok": sound, "processes": rows, "troubles": wrong})
    if rows and not screen.as_json:
        screen.table(_COLUMNS, [_cells(row) for row in rows])
    for each in wrong:
        screen.fail(str(Trouble(**each)))
    if not rows:
        end(screen, run)
    if not sound:
        raise typer.Exit(FAILED)


_MB = 2**20
_COLUMNS = (
    *("process", "endpoint", "role", "follows", "version", "uptime", "link", "lag", "memory", "keys"),
    *("last save", "AOF", "Sentinels"),
)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    role = row["role"] or f"DOWN ({row['problem']})"
    agreeing = "-" if row["agreeing"] is None else f"{len(row['agreeing'])} agree"
    saved = "-" if row["last_save"] is None else f"{row['last_save']} s ago"
    lag = "-" if row["lag"] is None else f"{row['lag']} B"
    up = "-" if row["uptime"] is None else f"{row['uptime']} s"
    first = (row["process"], row["endpoint"], role, row["follows"] or "-", row["version"] or "-", up)
    keys = "-" if row["keys"] is None else str(row["keys"])
    return (*first, row["link"] or "-", lag, _memory(row), keys, saved, row["aof"] or "-", agreeing)


def _memory(row: dict[str, Any]) -> str:
    """Say how much is used, and of how much where there is a limit."""
    if row["memory"] is None:
        return "-"
    used = f"{row['memory'] / _MB:.1f}"
    return f"{used} of {row['maxmemory'] / _MB:.0f} MB" if row["maxmemory"] else f"{used} MB"
