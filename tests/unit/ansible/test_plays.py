"""The playbook does the stages of a plan in the plan's order."""

from __future__ import annotations

import yaml

from redis_fleet.ansible.plays import DECLARED, GROUPS
from redis_fleet.plan.steps import STAGES
from redis_fleet.project import PLAYBOOKS


def test_the_plays_come_in_the_order_of_the_stages() -> None:
    plays = yaml.safe_load((PLAYBOOKS / "deploy.yml").read_text(encoding="utf-8"))
    groups = [play["hosts"] for play in plays if "hosts" in play]

    assert groups[0] == GROUPS["settle"], "the lock is taken on every machine first"
    assert groups[1:] == list(dict.fromkeys(GROUPS[stage] for stage in STAGES))


def test_the_stage_of_each_task_belongs_to_its_play() -> None:
    plays = yaml.safe_load((PLAYBOOKS / "deploy.yml").read_text(encoding="utf-8"))
    found = {
        task["redis_fleet_change"]["stage"]: play["hosts"]
        for play in plays
        for task in play.get("tasks", ())
        if "redis_fleet_change" in task
    }

    assert found == {stage: group for stage, group in GROUPS.items() if stage in found}
    assert len(found) == 6


def test_every_group_that_a_play_runs_over_is_declared_and_no_other() -> None:
    plays = [play for path in PLAYBOOKS.glob("*.yml") for play in yaml.safe_load(path.read_text(encoding="utf-8"))]
    used = {play["hosts"] for play in plays if "hosts" in play} - {"all"}

    assert used == set(DECLARED)
