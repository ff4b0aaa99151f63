"""One list has every drill there is and says how it is run."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from redis_fleet.cli.commands.verify import Drill
from redis_fleet.cli.main import app
from redis_fleet.drills.drill import all_drills
from redis_fleet.drills.listing import FAILOVER, listed


def test_the_list_has_the_drills_of_both_commands() -> None:
    done = CliRunner().invoke(app, ["drill", "list", "--json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["drills"]

    assert [row["name"] for row in rows] == [*(each.name for each in all_drills()), "failover"]
    ways = {row["name"]: row["run"] for row in rows}
    assert ways["rdb"] == "redis-fleet drill rdb"
    assert ways["failover"] == "redis-fleet drill failover, or verify --drill failover"
    assert all(row.keys() == {"name", "title", "on", "disturbs", "more", "run"} for row in rows)


def test_what_a_verification_can_drill_is_on_the_list_and_no_other() -> None:
    assert list(Drill) == [FAILOVER]
    assert len({each.name for each in listed()}) == len(listed())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rdb failover", "'failover' is done alone: redis-fleet drill failover FILE"),
        ("fallover", "'fallover' is no drill; there are types, leaderboard,"),
    ],
)
def test_what_is_no_drill_is_refused(name: str, said: str) -> None:
    done = CliRunner().invoke(app, ["drill", *name.split()])
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
